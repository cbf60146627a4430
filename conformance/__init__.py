"""What the server claims, shown from outside over HTTP. Imports nothing of the server. No checks yet."""
