-- What wrk sends to a function: 64 bytes of text.
wrk.method = "POST"
wrk.body = "The quick brown fox jumps over the lazy dog, again and again...."
