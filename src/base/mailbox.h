#ifndef UBIQ_BASE_MAILBOX_H
#define UBIQ_BASE_MAILBOX_H

#include <stdatomic.h>

/* What other threads want done in the thread that owns the mailbox: a queue without locks, which any
 * number of threads fill and one empties. */

/* Lives in what is posted; all-zero but for `open` when it is. */
typedef struct mail {
    struct mail *next;
    void (*open)(struct mail *m); /* run in the owner's thread; may free what `m` lives in */
} mail;

typedef struct mailbox {
    _Atomic(mail *) top;
    void (*wake)(void *arg); /* run in the posting thread when there was no mail before */
    void *arg;
} mailbox;

/* Makes it empty. */
void mailbox_init(mailbox *box, void (*wake)(void *arg), void *arg);

/* Hands `m` over; it must not be touched afterwards. Any thread. */
void mailbox_post(mailbox *box, mail *m);

/* Between the two, the calling thread wakes nobody to whom it posts, and then each owner once: whoever
 * has much to post saves itself and them from waking for every single one. A mailbox outlives the
 * threads that post to it, as it may be woken when its mail is opened already. */
void mailbox_hold_wakes(void);
void mailbox_wake_held(void);

/* Opens all the mail there is, in the order in which it was posted by each thread. The owner's
 * thread; what is posted meanwhile is for the next time. */
void mailbox_open_all(mailbox *box);

#endif
