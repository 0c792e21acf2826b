/// The bits of a descriptor.
@usableFromInline
enum AArch64Bit {
  @inlinable static var valid: UInt64 { 1 << 0 }
  /// Set in tables and in level 0 pages.
  @inlinable static var tableOrPage: UInt64 { 1 << 1 }
  /// AttrIndx, bits 4 to 2: which attribute of MAIR_EL1 the page has.
  @inlinable static var attributeIndexShift: UInt64 { 2 }
  /// AP[1]: EL0 may access the page.
  @inlinable static var user: UInt64 { 1 << 6 }
  /// AP[2]: writing is forbidden, or not yet done.
  @inlinable static var readOnly: UInt64 { 1 << 7 }
  /// SH = 0b11.
  @inlinable static var innerShareable: UInt64 { 3 << 8 }
  /// AF: the page was accessed.
  @inlinable static var accessed: UInt64 { 1 << 10 }
  /// nG: the translation belongs to one address space.
  @inlinable static var notGlobal: UInt64 { 1 << 11 }
  /// DBM: a page with AP[2] set is writable, and clean.
  @inlinable static var dirtyModifier: UInt64 { 1 << 51 }
  /// PXN: EL1 must not fetch instructions.
  @inlinable static var kernelExecuteNever: UInt64 { 1 << 53 }
  /// UXN: EL0 must not fetch instructions.
  @inlinable static var userExecuteNever: UInt64 { 1 << 54 }
  /// A software bit: the page was dirty when it ceased to be writable.
  @inlinable static var wasDirty: UInt64 { 1 << 55 }
  /// PXNTable, XNTable, APTable[0], APTable[1]: the permissions that a table withholds from everything below it.
  @inlinable static var tableKernelExecuteNever: UInt64 { 1 << 59 }
  @inlinable static var tableUserExecuteNever: UInt64 { 1 << 60 }
  @inlinable static var tableNoUser: UInt64 { 1 << 61 }
  @inlinable static var tableReadOnly: UInt64 { 1 << 62 }
}
