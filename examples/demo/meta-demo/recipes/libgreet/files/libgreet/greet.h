#ifndef GREET_H
#define GREET_H

/* Writes a greeting for `name` in `language` ("en", "fr", ...) to `out`.
 * Returns 0, or -1 when the language is unknown. */
int greet(const char *language, const char *name, char *out, unsigned long size);

#endif
