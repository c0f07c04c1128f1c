#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/mailbox.h"

#define SENDERS 4
#define LETTERS 5000

typedef struct letter {
    mail mail;
    int sender;
    int number;
    mailbox *again; /* where it is posted once more when it is opened */
} letter;

static int woken;
static int opened;
static int last[SENDERS];

static void wake(void *arg)
{
    ++*(int *)arg;
}

static void open_letter(mail *m)
{
    letter *l = (letter *)m;

    opened++;
    assert_int_equal(l->number, last[l->sender] + 1);
    last[l->sender] = l->number;
    if (l->again) {
        l->number++;
        mailbox_post(l->again, m);
    }
}

static int reset(void **state)
{
    (void)state;
    woken = opened = 0;
    for (int i = 0; i < SENDERS; i++)
        last[i] = -1;
    return 0;
}

static void test_mail_is_opened_in_order(void **state)
{
    letter l[3];
    mailbox box;

    (void)state;
    mailbox_init(&box, wake, &woken);
    mailbox_open_all(&box);
    for (int i = 0; i < 3; i++) {
        l[i] = (letter){.mail.open = open_letter, .number = i};
        mailbox_post(&box, &l[i].mail);
    }
    assert_int_equal(woken, 1);
    assert_int_equal(opened, 0);
    mailbox_open_all(&box);
    assert_int_equal(opened, 3);
    mailbox_open_all(&box);
    assert_int_equal(opened, 3);
}

static void test_what_is_posted_meanwhile_is_for_the_next_time(void **state)
{
    letter l = {.mail.open = open_letter};
    mailbox box;

    (void)state;
    mailbox_init(&box, wake, &woken);
    l.again = &box;
    mailbox_post(&box, &l.mail);
    mailbox_open_all(&box);
    assert_int_equal(opened, 1);
    assert_int_equal(woken, 2);
    mailbox_open_all(&box);
    assert_int_equal(opened, 2);
}

/* Each owner is woken once, at the end, however often it has looked in the meantime. */
static void test_owners_are_woken_once(void **state)
{
    enum { BOXES = 100, POSTS = 3 };
    static mailbox boxes[BOXES];
    static letter l[BOXES][POSTS];
    static int woken_of[BOXES];
    int early = 0;

    (void)state;
    for (int b = 0; b < BOXES; b++)
        mailbox_init(&boxes[b], wake, &woken_of[b]);
    mailbox_hold_wakes();
    for (int i = 0; i < POSTS; i++) {
        for (int b = 0; b < BOXES; b++) {
            l[b][i] = (letter){.mail.open = open_letter, .number = last[0] + 1};
            mailbox_post(&boxes[b], &l[b][i].mail);
            mailbox_open_all(&boxes[b]);
        }
    }
    /* More owners than it can hold are woken at once. */
    for (int b = 0; b < BOXES; b++)
        early += woken_of[b] > 0;
    assert_int_equal(early, BOXES - 64);
    mailbox_wake_held();
    for (int b = 0; b < 64; b++)
        assert_int_equal(woken_of[b], 1);
    mailbox_post(&boxes[0], &l[0][0].mail);
    assert_int_equal(woken_of[0], 2);
}

typedef struct sender {
    pthread_t thread;
    mailbox *box;
    letter *letters;
} sender;

static void *send_all(void *arg)
{
    sender *s = arg;

    for (int i = 0; i < LETTERS; i++)
        mailbox_post(s->box, &s->letters[i].mail);
    return NULL;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_mail = PTHREAD_COND_INITIALIZER;

static void wake_thread(void *arg)
{
    pthread_mutex_lock(&lock);
    *(int *)arg = 1;
    pthread_cond_signal(&has_mail);
    pthread_mutex_unlock(&lock);
}

/* No letter is lost, each sender's come in order, and the owner is always woken. */
static void test_many_threads_post(void **state)
{
    sender senders[SENDERS];
    mailbox box;

    (void)state;
    mailbox_init(&box, wake_thread, &woken);
    for (int s = 0; s < SENDERS; s++) {
        senders[s] = (sender){.box = &box, .letters = calloc(LETTERS, sizeof(letter))};
        for (int i = 0; i < LETTERS; i++)
            senders[s].letters[i] = (letter){.mail.open = open_letter, .sender = s, .number = i};
        pthread_create(&senders[s].thread, NULL, send_all, &senders[s]);
    }
    while (opened < SENDERS * LETTERS) {
        pthread_mutex_lock(&lock);
        while (!woken)
            pthread_cond_wait(&has_mail, &lock);
        woken = 0;
        pthread_mutex_unlock(&lock);
        mailbox_open_all(&box);
    }
    for (int s = 0; s < SENDERS; s++) {
        pthread_join(senders[s].thread, NULL);
        free(senders[s].letters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_mail_is_opened_in_order, reset),
        cmocka_unit_test_setup(test_what_is_posted_meanwhile_is_for_the_next_time, reset),
        cmocka_unit_test_setup(test_owners_are_woken_once, reset),
        cmocka_unit_test_setup(test_many_threads_post, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
