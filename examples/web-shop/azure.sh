# What an Azure client in a job has to know; cloud.sh sources it. They speak https only: the CA of the addresses must be trusted.
export AZURE_AUTHORITY_HOST=https://127.0.0.1:8702 AZURE_TENANT_ID=acme.example.com
export AZURE_FEDERATED_TOKEN_FILE="$HOME/id-token"
case "$ROLE" in
  publish-web) export AZURE_CLIENT_ID=00000000-0000-4000-8000-000000000007 ;;
  preview-web) export AZURE_CLIENT_ID=00000000-0000-4000-8000-000000000008 ;;
esac

# What the pipeline has to know of it.
AUDIENCE=api://AzureADTokenExchange
BUCKET=https://127.0.0.1:8705/acme/web-shop
LEFT_BEHIND="$HOME/.azure"
