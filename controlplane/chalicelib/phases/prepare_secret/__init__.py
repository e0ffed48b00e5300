"""Phase 2: checks the secret that the proxy will read, and who may read it.

run: the document and its versions. simulate, access: IAM's decisions, and when they are wrong. age: when a key is old.
"""
