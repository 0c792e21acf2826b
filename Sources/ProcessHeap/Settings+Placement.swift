// The settings about where the heap's memory lies. Placement.swift and its neighbours follow them.

extension Settings {
  mutating func readPin() {
    if let text = SettingText("HEAPLAB_PIN") {
      if text == "all" {
        pin = limitByteCount == .max ? .growth : .start(byteCount: min(limitByteCount, PinWish.byteMaximum))
      } else if let number = text.byteCount, number > 0 {
        pin = .start(byteCount: min(min(number, limitByteCount), PinWish.byteMaximum))
        if number > limitByteCount { text.warn("is more than HEAPLAB_LIMIT; it is that") }
      } else {
        text.warn("is neither a byte count such as 512M nor all; nothing is pinned")
      }
      if pin != .none, policy != .general {
        text.warn("needs the policy general; nothing is pinned")
        pin = .none
      }
    }
    if let text = SettingText("HEAPLAB_PIN_OVERFLOW") {
      failsPastPin = text == "fail"
      if !failsPastPin, !(text == "spill") { text.warn("is neither spill nor fail; it is spill") }
      if failsPastPin, pin == .growth {
        text.warn("needs a number of bytes, by HEAPLAB_PIN or HEAPLAB_LIMIT; it is spill")
      }
      if case .start = pin {} else { failsPastPin = false }
    }
  }

  mutating func readHuge() {
    guard let text = SettingText("HEAPLAB_HUGE") else { return }
    if text == "none" {
      huge = .none
    } else if text == "thp" {
      huge = .transparent
    } else if text == "2M" {
      huge = .explicit2MiB
    } else if text == "1G" {
      huge = .explicit1GiB
    } else {
      text.warn("is none of none, thp, 2M and 1G; the system decides")
    }
    if policy != .general, huge != .unset {
      text.warn("needs the policy general; the system decides")
      huge = .unset
    }
    if reservesAddressSpace, huge == .explicit2MiB || huge == .explicit1GiB {
      text.warn("cannot be had with HEAPLAB_RESERVE=1; it is thp")
      huge = .transparent
    }
  }

  mutating func readNode() {
    guard let text = SettingText("HEAPLAB_NODE") else { return }
    if text == "local" {
      node = .local
    } else if text == "interleave" {
      node = .interleave
    } else if text.hasNumbers {
      node = .numbers
    } else {
      text.warn("is neither local, interleave nor numbers such as 0,2; pages lie where the system puts them")
    }
    if policy != .general, node != .unset {
      text.warn("needs the policy general; pages lie where the system puts them")
      node = .unset
    }
  }
}

/// What HEAPLAB_HUGE asks for.
enum HugeWish {
  case unset
  case none
  case transparent
  case explicit2MiB
  case explicit1GiB
}

/// What HEAPLAB_NODE asks for; the numbers are in the text.
enum NodeWish {
  case unset
  case local
  case interleave
  case numbers
}

/// What HEAPLAB_PIN asks for.
enum PinWish: Equatable {
  /// More than any processor addresses: sums with it cannot overflow.
  static var byteMaximum: UInt { 1 << 60 }

  case none
  /// So many bytes, before the first allocation.
  case start(byteCount: UInt)
  /// Whatever the heap takes, when it takes it.
  case growth
}
