internal import ThreadHeaps

// The environment's settings, read at the first allocation, without allocating. A value that cannot be read gives a
// warning line and the default. A set-uid program sees no settings.
//
//     HEAPLAB_POLICY        the policy that serves requests: general (default), firstfit or buddy (TextbookHeap.swift)
//     HEAPLAB_LIMIT         bytes that the heap may hold, with K, M, G or T; past it malloc fails; default: no limit
//     HEAPLAB_PURGE_DELAY   milliseconds that freed memory stays at hand before it is purged; default 100
//     HEAPLAB_BACKGROUND    1: a thread purges while the program makes no calls (BackgroundPurge.swift); default 0
//     HEAPLAB_RESERVE       1: reserve one range of addresses at the start (HeapReservation.swift); default 0
//     HEAPLAB_TELEMETRY     1: figures in /dev/shm, for readers without rights (Telemetry.swift); default 0
//     HEAPLAB_SAMPLE        bytes, with K, M, G or T: sample live memory every so many bytes (Sampling.swift); default: no
//     HEAPLAB_STATS         1: statistics on standard error when the program ends; default 0

/// The settings of the process heap.
struct Settings {
  var policy = ServingPolicy.general
  var limitByteCount: UInt = .max
  var purgeDelayMilliseconds: UInt = 100
  var purgesInBackground = false
  var reservesAddressSpace = false
  var showsStatistics = false
  var keepsTelemetryPage = false
  var sampleMean: UInt = 0

  init() {}

  /// The longest delay, 49 days: multiples of it cannot overflow.
  private static var purgeDelayMaximum: UInt { UInt(UInt32.max) }

  /// The settings of the environment.
  static func fromEnvironment() -> Settings {
    var settings = Settings()
    if let text = SettingText("HEAPLAB_POLICY") {
      if text == "firstfit" {
        settings.policy = .firstFit
      } else if text == "buddy" {
        settings.policy = .buddy
      } else if !(text == "general") {
        text.warn("is none of general, firstfit and buddy; it is general")
      }
    }
    if let text = SettingText("HEAPLAB_LIMIT") {
      if let number = text.byteCount, number > 0 {
        settings.limitByteCount = number
      } else {
        text.warn("is no byte count such as 512M; there is no limit")
      }
    }
    if let text = SettingText("HEAPLAB_PURGE_DELAY") {
      if let number = text.number {
        settings.purgeDelayMilliseconds = min(number, purgeDelayMaximum)
        if number > purgeDelayMaximum { text.warn("is more milliseconds than 4294967295; it is these") }
      } else {
        text.warn("is no number of milliseconds; it is 100")
      }
    }
    if let text = SettingText("HEAPLAB_BACKGROUND") { settings.purgesInBackground = text.flag(default: false) }
    if let text = SettingText("HEAPLAB_RESERVE") { settings.reservesAddressSpace = text.flag(default: false) }
    if let text = SettingText("HEAPLAB_STATS") { settings.showsStatistics = text.flag(default: false) }
    if let text = SettingText("HEAPLAB_TELEMETRY") { settings.keepsTelemetryPage = text.flag(default: false) }
    if let text = SettingText("HEAPLAB_SAMPLE") {
      if let number = text.byteCount, number > 0, number <= SampleCountdown.meanMaximum {
        settings.sampleMean = number
        if settings.policy != .general { text.warn("needs HEAPLAB_POLICY=general; nothing is sampled") }
      } else if !(text == "0") {
        text.warn("is no byte count such as 512K, of at most 64G; nothing is sampled")
      }
    }
    return settings
  }
}
