import Testing

@testable import HeapBenchKit

@Suite struct ProcessorModelTests {
  @Test func anX86ProcessorHasAName() {
    let text = """
      processor\t: 0
      vendor_id\t: AuthenticAMD
      cpu family\t: 25
      model\t\t: 1
      model name\t: AMD EPYC 7763 64-Core Processor
      processor\t: 1
      model name\t: another
      """
    #expect(ProcessorModel.name(in: text) == "AMD EPYC 7763 64-Core Processor, family 25, model 1")
  }

  @Test func anArmProcessorHasNumbers() {
    let text = "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd0c\n"
    #expect(ProcessorModel.name(in: text) == "AArch64, implementer 0x41, part 0xd0c")
    #expect(ProcessorModel.name(in: "CPU implementer\t: 0x41\n") == nil)
  }

  @Test func theReportNamesIt() {
    var report = SampleComparison.report([SampleComparison.speed("pairs-16", ["glibc": [10], "heaplab": [5]])])
    let style = TerminalStyle(columnCount: 100, hasColour: false)
    #expect(!report.text(style: style).contains("Measured on"))
    report.processor = "a model, 2 processors"
    #expect(report.text(style: style).hasPrefix("Measured on a model, 2 processors. On another processor times differ"))
    #expect(report.markdown(chart: "x.svg").contains("\nMeasured on a model, 2 processors. "))
  }
}
