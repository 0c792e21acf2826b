typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;
static inline void outb(unsigned short p, u8 v) { __asm__ volatile("outb %0,%1" ::"a"(v), "Nd"(p)); }
static void put(char c) { outb(0x3f8, c); }
static void text(const char *s) { while (*s) put(*s++); }
static void hex(u32 v, int n) { for (int i = n - 1; i >= 0; i--) put("0123456789abcdef"[v >> (4 * i) & 15]); }
static void bytes(const char *name, u32 at, u32 count) {
  text(name); put(' '); hex(at, 8); put(' ');
  for (u32 i = 0; i < count; i++) hex(((u8 *)at)[i], 2);
  put('\n');
}
void dump(u32 kind, u32 info) {
  u32 *w = (u32 *)info;
  if (kind == 1) {
    bytes("info", info, 116);
    if (w[0] & 64) bytes("map", w[12], w[11]);
    if (w[0] & 8) bytes("modules", w[6], w[5] * 16);
  } else {
    bytes("info", info, 56);
    bytes("map", w[10], w[12] * 24);
    if (w[3]) bytes("modules", w[4], w[3] * 32);
  }
  outb(0xf4, 0);
  for (;;) __asm__ volatile("hlt");
}
