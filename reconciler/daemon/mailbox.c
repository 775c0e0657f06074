/* mailbox.c - what threads have to say to the loop: a list and an eventfd. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/daemon/loop.h"

enum tn_code
tn_mailbox_init(struct tn_mailbox *box, struct tn_error *err)
{
    pthread_mutex_init(&box->mutex, NULL);
    box->first = NULL;
    box->end = &box->first;
    box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return box->fd < 0 ? tn_fail_sys(err, TN_EINTERNAL, errno, "eventfd")
                       : TN_OK;
}

void
tn_mailbox_done(struct tn_mailbox *box)
{
    if (box->fd >= 0) {
        close(box->fd);
    }
    pthread_mutex_destroy(&box->mutex);
}

void
tn_mailbox_post(struct tn_mailbox *box, const struct tn_mail *what)
{
    struct tn_mail *mail = malloc(sizeof *mail);
    uint64_t one = 1;
    if (!mail) {
        abort();
    }
    *mail = *what;
    mail->next = NULL;
    pthread_mutex_lock(&box->mutex);
    *box->end = mail;
    box->end = &mail->next;
    pthread_mutex_unlock(&box->mutex);
    if (write(box->fd, &one, sizeof one) < 0) {
        return; /* It is readable already. */
    }
}

struct tn_mail *
tn_mailbox_take(struct tn_mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    struct tn_mail *mail = TN_TAKE(box->first);
    box->end = &box->first;
    pthread_mutex_unlock(&box->mutex);
    return mail;
}
