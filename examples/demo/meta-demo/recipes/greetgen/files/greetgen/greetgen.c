/* Reads lines "LANGUAGE GREETING" and writes them as the rows of a C table. */
#include <stdio.h>
#include <string.h>

int main(void)
{
    char line[256];

    while (fgets(line, sizeof line, stdin)) {
        char *space = strchr(line, ' ');

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || !space)
            continue;
        *space = '\0';
        printf("{ \"%s\", \"%s\" },\n", line, space + 1);
    }
    return 0;
}
