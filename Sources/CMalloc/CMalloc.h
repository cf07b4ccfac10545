// malloc_trim, where the C library is glibc.
#if defined(__linux__)
#include <malloc.h>
#endif
