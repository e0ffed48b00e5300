"""An OpenAI-compatible proxy that runs on AWS Lambda and streams; see README.md for what lives where."""
