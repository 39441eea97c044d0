/*
 * Counts the flushes of a process and, if asked to, makes each one slower. It is preloaded
 * (LD_PRELOAD) into the measured programs; flushes.ts compiles it.
 *   BENCH_FLUSH_COUNT     a file of two 64-bit counters: all flushes, and those of write-ahead logs
 *   BENCH_FLUSH_DELAY_US  microseconds added to each flush
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t *counters;
static long delay_us;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("BENCH_FLUSH_COUNT"), *delay = getenv("BENCH_FLUSH_DELAY_US");
  if (delay) delay_us = atol(delay);
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *shared = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) counters = shared;
  close(file);
}

/* SQLite names its log <database>-wal, PostgreSQL keeps its own in pg_wal. */
static int is_log(int file) {
  char link[32], target[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length < 4) return 0;
  target[length] = 0;
  return strcmp(target + length - 4, "-wal") == 0 || strstr(target, "/pg_wal/") != NULL;
}

static void note(int file) {
  if (counters) {
    __atomic_fetch_add(&counters[0], 1, __ATOMIC_RELAXED);
    if (is_log(file)) __atomic_fetch_add(&counters[1], 1, __ATOMIC_RELAXED);
  }
  if (delay_us > 0) {
    struct timespec pause = {delay_us / 1000000, delay_us % 1000000 * 1000};
    nanosleep(&pause, NULL);
  }
}

int fsync(int file) {
  static int (*original)(int);
  if (!original) original = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  note(file);
  return original(file);
}

int fdatasync(int file) {
  static int (*original)(int);
  if (!original) original = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  note(file);
  return original(file);
}
