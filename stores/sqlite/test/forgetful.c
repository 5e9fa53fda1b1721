// A file system that forgets what was not synced, for Linux: loaded before the C library (LD_PRELOAD), it notes for each write to a file in
// the folder FORGETFUL what was there before, in FORGETFUL_JOURNAL, and for each fsync that the file's notes so far are void. Whoever undoes
// the notes that are left, the last first, has what a disk would have after the power was cut.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// A note: which file, what ('w' a write, 't' a change of length, 's' a sync), where, how long, how large the file was; then what was there.
struct note {
  uint64_t inode;
  int64_t offset;
  int64_t length;
  int64_t size;
  char kind;
  char rest[7];
};

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static int journal = -2;

static int is_ours(int fd, struct stat *at) {
  const char *folder = getenv("FORGETFUL");
  char link[64], path[4096];
  if (folder == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  // The index of the write-ahead log is memory that is made anew; it is never synced.
  if (strncmp(path, folder, strlen(folder)) != 0 || strstr(path, "-shm") != NULL) return 0;
  return fstat(fd, at) == 0 && S_ISREG(at->st_mode);
}

static void put(struct note *note, const char *before, size_t length) {
  if (journal == -2) journal = syscall(SYS_openat, AT_FDCWD, getenv("FORGETFUL_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  char *all = malloc(sizeof *note + length);
  memcpy(all, note, sizeof *note);
  if (length > 0) memcpy(all + sizeof *note, before, length);
  if (syscall(SYS_write, journal, all, sizeof *note + length) < 0) abort();
  free(all);
}

static void changes(int fd, char kind, int64_t offset, int64_t length) {
  struct stat at;
  if (!is_ours(fd, &at)) return;
  int64_t kept = offset >= at.st_size ? 0 : at.st_size - offset < length ? at.st_size - offset : length;
  char *before = malloc(kept > 0 ? kept : 1);
  if (kept > 0 && syscall(SYS_pread64, fd, before, kept, offset) != kept) abort();
  struct note note = {at.st_ino, offset, kept, at.st_size, kind, {0}};
  put(&note, before, kept);
  free(before);
}

static int synced(int fd, int (*sync)(int)) {
  pthread_mutex_lock(&one);
  int result = sync(fd);
  struct stat at;
  if (result == 0 && is_ours(fd, &at)) {
    struct note note = {at.st_ino, 0, 0, at.st_size, 's', {0}};
    put(&note, NULL, 0);
  }
  pthread_mutex_unlock(&one);
  return result;
}

static ssize_t written(int fd, const void *bytes, size_t length, int64_t offset) {
  pthread_mutex_lock(&one);
  changes(fd, 'w', offset, length);
  ssize_t result = syscall(SYS_pwrite64, fd, bytes, length, offset);
  pthread_mutex_unlock(&one);
  return result;
}

static int cut(int fd, int64_t length) {
  pthread_mutex_lock(&one);
  struct stat at;
  if (fstat(fd, &at) == 0) changes(fd, 't', length, at.st_size > length ? at.st_size - length : 0);
  int result = syscall(SYS_ftruncate, fd, length);
  pthread_mutex_unlock(&one);
  return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return written(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return written(fd, bytes, length, offset); }
int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }
int fsync(int fd) { return synced(fd, (int (*)(int))dlsym(RTLD_NEXT, "fsync")); }
int fdatasync(int fd) { return synced(fd, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync")); }
