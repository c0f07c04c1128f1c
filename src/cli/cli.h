#ifndef UBIQ_CLI_CLI_H
#define UBIQ_CLI_CLI_H

/* The commands of `ubiq`, each in a file of its own. They get their own name as argv[0], print what
 * is wrong to standard error, and return the process's exit code: 0, CLI_FAILED or CLI_USAGE. */

#define CLI_FAILED 1 /* the command could not do what it was asked for */
#define CLI_USAGE 2  /* it was not understood */

/* ubiq new: makes a project, or a function in one. */
int cli_new(int argc, char **argv);

/* ubiq build: compiles a project's functions. */
int cli_build(int argc, char **argv);

/* ubiq doctor: says which languages can be built. */
int cli_doctor(int argc, char **argv);

/* ubiq call: calls a function of a plug-in. */
int cli_call(int argc, char **argv);

/* ubiq kv, storage, events: look into a project's data, and change it. */
int cli_kv(int argc, char **argv);
int cli_storage(int argc, char **argv);
int cli_events(int argc, char **argv);

/* ubiq check: says what is wrong with a project, and what applies in it. */
int cli_check(int argc, char **argv);

/* ubiq serve: serves a project's functions over HTTP. */
int cli_serve(int argc, char **argv);

#endif
