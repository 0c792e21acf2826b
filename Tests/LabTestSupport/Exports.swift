// What every test of a heap needs: whoever imports this module has the model, too.
@_exported public import ShadowHeaps

/// The seeded generator of the model.
public typealias SeededGenerator = ShadowHeaps.SeededGenerator
