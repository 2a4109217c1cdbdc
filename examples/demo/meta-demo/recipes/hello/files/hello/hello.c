/* hello [CONFIG]: greets as its configuration file says, "LANGUAGE NAME". */
#include <greet.h>
#include <stdio.h>

#ifdef COLOUR
#define BEFORE "\033[32m"
#define AFTER "\033[0m"
#else
#define BEFORE ""
#define AFTER ""
#endif

int main(int argc, char **argv)
{
    const char *config = argc > 1 ? argv[1] : CONFIG;
    char language[8], name[64], text[128];
    FILE *f = fopen(config, "r");

    if (!f || fscanf(f, "%7s %63[^\n]", language, name) != 2) {
        fprintf(stderr, "hello: cannot read `%s`\n", config);
        return 1;
    }
    fclose(f);
    if (greet(language, name, text, sizeof text)) {
        fprintf(stderr, "hello: no greeting in `%s`\n", language);
        return 1;
    }
#ifdef BELL
    putchar('\a');
#endif
    printf(BEFORE "%s" AFTER "\n", text);
    return 0;
}
