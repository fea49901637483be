/* SPDX-License-Identifier: BSD-3-Clause */
/* The Unix sockets that --vdev names, looked at before a driver touches them. */
#ifndef APP_CLI_SOCKETS_H
#define APP_CLI_SOCKETS_H

/*
 * `vdev` is what one --vdev says. 0, or -1 with one line in `error` (OPTIONS_ERROR bytes): a socket to
 * be made where somebody serves already, where something else lies or where nothing can be made, or one
 * to connect to that nobody serves. A socket to be made over one that nobody serves any more: that one is
 * removed. Nothing else is, and who serves a socket does not notice.
 */
int sockets_check(const char *vdev, char *error);

#endif
