// MigrationOperator
