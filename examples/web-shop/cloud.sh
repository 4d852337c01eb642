# Where the jobs publish to, by whose clients' words: aws, gcp or azure. To be sourced, with ROLE set to the role that is wanted.
export CLOUD=aws
. "./$CLOUD.sh"
