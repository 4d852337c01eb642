# What a Google Cloud client in a job has to know; cloud.sh sources it.
PROVIDER="//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/web-shop/providers/$ROLE"
export GOOGLE_APPLICATION_CREDENTIALS="$HOME/credentials.json" GOOGLE_CLOUD_PROJECT=acme CLOUDSDK_CORE_PROJECT=acme
export CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE=http://127.0.0.1:8704/storage/v1/
cat > "$GOOGLE_APPLICATION_CREDENTIALS" <<JSON
{
  "type": "external_account",
  "audience": "$PROVIDER",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "http://127.0.0.1:8702/v1/token",
  "token_info_url": "http://127.0.0.1:8702/v1/introspect",
  "credential_source": { "file": "$HOME/id-token" }
}
JSON

# What the pipeline has to know of it.
AUDIENCE="https:$PROVIDER"
BUCKET=gs://web-shop
LEFT_BEHIND="$HOME/.config/gcloud"
