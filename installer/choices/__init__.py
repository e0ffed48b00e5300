"""What an installation asks for beside the defaults: a permissions boundary, a KMS key, a bucket, tags."""
