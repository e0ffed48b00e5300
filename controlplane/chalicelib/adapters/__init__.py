"""AWS, HTTP and the OpenAI SDK behind the ports: one service a file."""
