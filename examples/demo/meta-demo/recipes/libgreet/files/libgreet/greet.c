#include "greet.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *language;
    const char *greeting;
} greetings[] = {
#include "greetings.inc"
};

int greet(const char *language, const char *name, char *out, unsigned long size)
{
    for (unsigned long i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
        if (strcmp(greetings[i].language, language) == 0) {
            snprintf(out, size, "%s, %s", greetings[i].greeting, name);
            return 0;
        }
    }
    return -1;
}
