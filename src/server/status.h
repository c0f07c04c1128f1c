#ifndef UBIQ_SERVER_STATUS_H
#define UBIQ_SERVER_STATUS_H

/* The reason phrase of a status of HTTP: "Not Found"; it is for people only, and empty for those that are
 * not known here. Static. */
const char *status_reason(int status);

#endif
