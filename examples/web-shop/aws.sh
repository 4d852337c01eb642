# What an AWS client in a job has to know, but for the role that it wants; to be sourced.
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL_STS=http://127.0.0.1:8702 AWS_ENDPOINT_URL_S3=http://127.0.0.1:8703
export AWS_ROLE_SESSION_NAME="$JOBPASS_JOB_ID" AWS_WEB_IDENTITY_TOKEN_FILE="$HOME/id-token"
