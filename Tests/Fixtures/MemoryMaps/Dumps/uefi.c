// Prints UEFI's memory map and, on x86-64, ACPI's SRAT, as hexadecimal on the firmware's console.
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
#ifdef __x86_64__
#define API __attribute__((ms_abi))
#else
#define API
#endif
typedef struct { u32 data[4]; } guid;
typedef struct { guid id; void *table; } config;
typedef struct text_output { void *reset; u64 (API *output)(struct text_output *, u16 *); } text_output;
typedef struct {
  u8 header[24]; void *raise, *restore, *allocate_pages, *free_pages;
  u64 (API *get_memory_map)(u64 *, void *, u64 *, u64 *, u32 *);
} boot_services;
typedef struct {
  u8 header[24]; u16 *vendor; u32 revision; void *in_handle, *in, *out_handle; text_output *out; void *err_handle, *err;
  void *runtime; boot_services *boot; u64 config_count; config *configs;
} system_table;
typedef struct {
  u8 header[24]; void *time[4]; void *virt[2]; void *vars[3]; void *mono; void (API *reset)(u32, u64, u64, void *);
} runtime_services;
static text_output *out;
static u16 line[2048]; static u32 used;
static void flush(void) { line[used] = 0; out->output(out, line); used = 0; }
static void put(char c) { if (c == '\n') line[used++] = '\r'; line[used++] = c; if (used > 2000) flush(); }
static void text(const char *s) { while (*s) put(*s++); }
static void hex(u64 v, int n) { for (int i = n - 1; i >= 0; i--) put("0123456789abcdef"[v >> (4 * i) & 15]); }
static void bytes(const char *name, u8 *at, u64 count, u64 stride) {
  text(name); put(' '); hex(stride, 4); put('\n');
  for (u64 i = 0; i < count; i++) { hex(at[i], 2); if (i % 48 == 47) put('\n'); }
  text("\nend\n"); flush();
}
static u8 map[65536];
u64 API efi_main(void *handle, system_table *st) {
  out = st->out;
  for (u64 i = 0; i < st->config_count; i++) {
    config *c = &st->configs[i];
    if (c->id.data[0] == 0x8868e871) {
      u8 *rsdp = c->table; u8 *xsdt = *(u8 **)(rsdp + 24);
      for (u32 o = 36; o < *(u32 *)(xsdt + 4); o += 8) {
        u8 *t = *(u8 * *)(xsdt + o);
        if (*(u32 *)t == 0x54415253) bytes("SRAT", t, *(u32 *)(t + 4), 0);
      }
    }
  }
  u64 size = sizeof map, key, stride; u32 version;
  st->boot->get_memory_map(&size, map, &key, &stride, &version);
  bytes("MEMORYMAP", map, size, stride);
  text("done\n"); flush();
  ((runtime_services *)st->runtime)->reset(2, 0, 0, 0);
  return 0;
}
