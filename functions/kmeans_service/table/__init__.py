"""DynamoDB: values, keys, conditional writes and consistent reads."""
