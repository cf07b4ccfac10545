/// A Migration `a` that is right, and as short as can be: it adds a column `c` to a table `t`.
let smallManifest = """
    apiVersion: sluice.dev/v1alpha1
    kind: Migration
    metadata: {name: a}
    spec:
      changes:
      - addColumn: {table: t, column: {name: c, type: text}}

    """
