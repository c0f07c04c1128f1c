/* Calls the function of a project by its name, and with a request. */

#include <libubiq.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    const ubiq_request request = {
        .method = "POST", .target = "/greet", .body = "Bob", .body_len = 3};
    ubiq_project *project;
    ubiq_result *result;
    char *problem;
    size_t len;

    if (ubiq_project_open(&project, argc > 1 ? argv[1] : "greeter", NULL, &problem) != UBIQ_OK) {
        fprintf(stderr, "%s\n", problem ? problem : "out of memory");
        ubiq_text_free(problem);
        return 1;
    }

    if (ubiq_project_invoke(project, "greet", "Ada", 3, 1000, &result) == UBIQ_OK)
        puts(ubiq_result_output(result, &len));
    else
        fprintf(stderr, "%s\n", ubiq_result_error(result));
    ubiq_result_free(result);

    if (ubiq_project_request(project, &request, 1000, &result) == UBIQ_OK)
        printf("%d: %s\n", ubiq_result_status(result),
               (const char *)ubiq_result_output(result, &len));
    ubiq_result_free(result);

    ubiq_project_free(project);
    return 0;
}
