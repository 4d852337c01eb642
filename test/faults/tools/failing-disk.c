// Preloaded into a server: makes its disk fail while a byte of a shared file says so. Only files whose path holds JOBPASS_FAULT_PATH.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static const volatile char *order;

__attribute__((constructor)) static void look(void) {
  const char *path = getenv("JOBPASS_FAULT_FILE");
  int fd = path == NULL ? -1 : open(path, O_RDONLY);
  if (fd < 0) return;
  void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (page != MAP_FAILED) order = page;
}

static int is_ours(int fd) {
  const char *wanted = getenv("JOBPASS_FAULT_PATH");
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0 || wanted == NULL) return 0;
  path[length] = 0;
  return strstr(path, wanted) != NULL;
}

// 's': the disk does not flush. 'w': it takes no writes. 'f': it is full.
static int fails(int fd, const char *orders) {
  if (order == NULL || *order == '-' || strchr(orders, *order) == NULL || !is_ours(fd)) return 0;
  errno = *order == 'w' ? EROFS : *order == 'f' ? ENOSPC : EIO;
  return 1;
}

#define REAL(type, name) type real = (type)dlsym(RTLD_NEXT, name)

typedef int (*flush)(int);
typedef ssize_t (*put)(int, const void *, size_t);
typedef ssize_t (*put_at)(int, const void *, size_t, off_t);
typedef int (*cut)(int, off_t);

int fsync(int fd) { REAL(flush, "fsync"); return fails(fd, "sw") ? -1 : real(fd); }
int fdatasync(int fd) { REAL(flush, "fdatasync"); return fails(fd, "sw") ? -1 : real(fd); }
ssize_t write(int fd, const void *from, size_t size) { REAL(put, "write"); return fails(fd, "wf") ? -1 : real(fd, from, size); }
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) { REAL(put_at, "pwrite"); return fails(fd, "wf") ? -1 : real(fd, from, size, at); }
ssize_t pwrite64(int fd, const void *from, size_t size, off_t at) { REAL(put_at, "pwrite64"); return fails(fd, "wf") ? -1 : real(fd, from, size, at); }
int ftruncate(int fd, off_t size) { REAL(cut, "ftruncate"); return fails(fd, "wf") ? -1 : real(fd, size); }
int ftruncate64(int fd, off_t size) { REAL(cut, "ftruncate64"); return fails(fd, "wf") ? -1 : real(fd, size); }
