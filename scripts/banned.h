/*
 * What nobody calls: included by the compiler ahead of every file of ours, so
 * that the name of one is an error. What declares them must come first.
 */
#ifndef BANNED_H
#define BANNED_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#undef alloca
#pragma GCC poison strcpy strcat stpcpy sprintf vsprintf gets sscanf
#pragma GCC poison strtok atoi atol atoll atof alloca system popen tmpnam mktemp

/*
 * There is no heap, no jump and no text without a size in the program, and
 * nothing that brings the C library's printf(): format_text(), str_contains()
 * and address_put_ipv6() are a twentieth of the size.
 */
#ifdef BANNED_IN_SRC
#pragma GCC poison malloc calloc realloc free strdup strndup asprintf getline
#pragma GCC poison strtok_r strncpy strncat setjmp longjmp assert
#pragma GCC poison snprintf vsnprintf strstr inet_ntop qsort qsort_r
#endif

#endif
