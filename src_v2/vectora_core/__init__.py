"""The news pipeline: ingest -> normalize and score -> newsletter. Each step reads and writes JSON in S3."""
