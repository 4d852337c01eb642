# What an AWS client in a job has to know; cloud.sh sources it.
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL_STS=http://127.0.0.1:8702 AWS_ENDPOINT_URL_S3=http://127.0.0.1:8703
export AWS_ROLE_ARN="arn:aws:iam::000000000042:role/$ROLE"
export AWS_ROLE_SESSION_NAME="$JOBPASS_JOB_ID" AWS_WEB_IDENTITY_TOKEN_FILE="$HOME/id-token"

# What the pipeline has to know of it.
AUDIENCE="$AWS_ENDPOINT_URL_STS"
BUCKET=s3://web-shop
LEFT_BEHIND="$HOME/.aws/cli/cache"
