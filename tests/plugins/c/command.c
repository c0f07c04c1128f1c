#include "extism_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A command: main runs for _start. It says what it was given, and exits with the number in its
 * input. */

extern char **environ;

int main(int argc, char **argv)
{
    static char text[1024];
    char digits[16];
    size_t n = read_input(digits, sizeof digits - 1);
    int variables = 0;

    digits[n] = '\0';
    while (environ != NULL && environ[variables] != NULL)
        variables++;
    snprintf(text, sizeof text, "%d arguments, %d variables, first %s", argc, variables,
             argc > 0 && argv[0] != NULL ? argv[0] : "none");
    output(text, strlen(text));
    printf("on standard output\n");
    fprintf(stderr, "on standard error\n");
    return atoi(digits);
}
