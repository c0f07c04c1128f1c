#ifndef CONFORMANCE_HTTP_SERVER_H
#define CONFORMANCE_HTTP_SERVER_H

/* An HTTP server on the loopback address, in a thread of the case's process: the port. Answers by
 * path:
 *   /hello               "hello" with X-Test, two X-Many headers and Content-Type
 *   /echo                what it was sent: method, path, some headers, body
 *   /headers             every header it was sent, but for those that name the client
 *   /status/N            that status, with a short body
 *   /bytes/N             N bytes
 *   /chunked             "one two three" in chunks
 *   /slow/MS             "slow" after that time
 *   /slow-body/MS        its head at once, its body after that time
 *   /redirect/N          N redirects, then /hello; /redirect-301 ... -308 one, to /echo
 *   /redirect-to-name    one to the same server by the name localhost
 *   /loop                a redirect to itself
 *   /close               the connection is closed without an answer
 *   /garbage             no HTTP
 *   /short               fewer bytes than it said
 *   /empty               204
 *   /file/NAME           a file of the case's directory */
unsigned http_server_start(void);

#endif
