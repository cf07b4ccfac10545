// Their keys are pgroll's, letter by letter.
extension PgrollOperation {
    struct Check: Decodable {
        var name: String
        var constraint: String
        var no_inherit: Bool?
    }

    /// To one column.
    struct Reference: Decodable {
        var name: String
        var table: String
        var column: String
        var match_type: String?
        var on_delete: String?
        var on_update: String?
        var deferrable: Bool?
        var initially_deferred: Bool?
    }

    /// To several.
    struct TableReference: Decodable {
        var name: String?
        var table: String
        var columns: [String]
        var match_type: String?
        var on_delete: String?
        var on_delete_set_columns: [String]?
        var on_update: String?
    }

    struct Generated: Decodable {
        struct Identity: Decodable {
            var user_specified_values: String?
            var sequence_options: String?
        }

        var expression: String?
        var identity: Identity?
    }

    struct Column: Decodable {
        var name: String
        var type: String
        var pk: Bool?
        var nullable: Bool?
        var unique: Bool?
        var `default`: String?
        var check: Check?
        var references: Reference?
        var comment: String?
        var generated: Generated?
    }

    struct IndexParameters: Decodable {
        var tablespace: String?
        var storage_parameters: String?
        var include_columns: [String]?
    }

    struct Exclusion: Decodable {
        var index_method: String?
        var elements: String
        var predicate: String?
    }

    struct Constraint: Decodable {
        var name: String
        var type: String
        var columns: [String]?
        var deferrable: Bool?
        var initially_deferred: Bool?
        var nulls_not_distinct: Bool?
        var no_inherit: Bool?
        var check: String?
        var references: TableReference?
        var exclude: Exclusion?
        var index_parameters: IndexParameters?
    }

    struct CreateTable: Decodable {
        var name: String
        var columns: [Column]
        var constraints: [Constraint]?
        var comment: String?
    }

    struct Named: Decodable {
        var name: String
    }

    struct Rename: Decodable {
        var from: String
        var to: String
    }

    struct AddColumn: Decodable {
        var table: String
        var column: Column
        var up: String?
    }

    struct DropColumn: Decodable {
        var table: String
        var column: String
        var down: String?
    }

    struct RenameColumn: Decodable {
        var table: String
        var from: String
        var to: String
    }

    struct Unique: Decodable {
        var name: String
    }

    struct AlterColumn: Decodable {
        /// A value that may be taken away: `null` says so, and leaving it out says nothing.
        enum Setting: Sendable {
            case keep, take
            case set(String)
        }

        var table: String
        var column: String
        /// In older files: the new name.
        var name: String?
        var type: String?
        var nullable: Bool?
        var `default` = Setting.keep
        var comment = Setting.keep
        var check: Check?
        var unique: Unique?
        var references: Reference?
        var up: String?
        var down: String?

        private enum Key: String, CodingKey {
            case table, column, name, type, nullable, `default`, comment, check, unique, references, up, down
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            func setting(_ key: Key) throws -> Setting {
                guard container.contains(key) else { return .keep }
                return try container.decodeIfPresent(String.self, forKey: key).map { .set($0) } ?? .take
            }
            table = try container.decode(String.self, forKey: .table)
            column = try container.decode(String.self, forKey: .column)
            name = try container.decodeIfPresent(String.self, forKey: .name)
            type = try container.decodeIfPresent(String.self, forKey: .type)
            nullable = try container.decodeIfPresent(Bool.self, forKey: .nullable)
            self.default = try setting(.default)
            comment = try setting(.comment)
            check = try container.decodeIfPresent(Check.self, forKey: .check)
            unique = try container.decodeIfPresent(Unique.self, forKey: .unique)
            references = try container.decodeIfPresent(Reference.self, forKey: .references)
            up = try container.decodeIfPresent(String.self, forKey: .up)
            down = try container.decodeIfPresent(String.self, forKey: .down)
        }
    }

    struct IndexField: Decodable {
        struct OperatorClass: Decodable {
            var name: String
            var params: [String]?
        }

        struct Settings: Decodable {
            var collate: String?
            var sort: String?
            var nulls: String?
            var opclass: OperatorClass?
        }

        var column: String
        var settings: Settings

        init(column: String, settings: Settings) {
            self.column = column
            self.settings = settings
        }

        private enum Key: String, CodingKey {
            case column
        }

        /// A column's name, or a mapping that holds it beside its settings.
        init(from decoder: any Decoder) throws {
            if let name = try? decoder.singleValueContainer().decode(String.self) {
                self.init(column: name, settings: Settings())
            } else {
                self.init(
                    column: try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .column),
                    settings: try Settings(from: decoder))
            }
        }
    }

    struct CreateIndex: Decodable {
        var table: String
        var name: String
        var columns: [IndexField]
        var unique: Bool?
        var method: String?
        var predicate: String?
        var storage_parameters: String?

        private enum Key: String, CodingKey {
            case table, name, columns, unique, method, predicate, storage_parameters
        }

        private struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            table = try container.decode(String.self, forKey: .table)
            name = try container.decode(String.self, forKey: .name)
            unique = try container.decodeIfPresent(Bool.self, forKey: .unique)
            method = try container.decodeIfPresent(String.self, forKey: .method)
            predicate = try container.decodeIfPresent(String.self, forKey: .predicate)
            storage_parameters = try container.decodeIfPresent(String.self, forKey: .storage_parameters)
            // A list, or, as the documentation has it as well, a mapping of each name to its settings.
            if let names = try? container.nestedContainer(keyedBy: Name.self, forKey: .columns) {
                columns = try names.allKeys.map {
                    IndexField(
                        column: $0.stringValue,
                        settings: try names.decodeIfPresent(IndexField.Settings.self, forKey: $0) ?? .init())
                }
            } else {
                columns = try container.decode([IndexField].self, forKey: .columns)
            }
        }
    }

    struct CreateConstraint: Decodable {
        var table: String
        var name: String
        var type: String
        var columns: [String]?
        var check: String?
        var no_inherit: Bool?
        var references: TableReference?
        var index_parameters: IndexParameters?
        var up: [String: String]?
        var down: [String: String]?
    }

    struct DropConstraint: Decodable {
        var table: String
        var name: String
        var up: String?
        var down: String?
    }

    struct DropConstraintOfColumns: Decodable {
        var table: String
        var name: String
        var up: [String: String]?
        var down: [String: String]?
    }

    struct RenameConstraint: Decodable {
        var table: String
        var from: String
        var to: String
    }

    struct SetReplicaIdentity: Decodable {
        struct Identity: Decodable {
            var type: String
            var index: String?
        }

        var table: String
        var identity: Identity
    }

    struct RawSQL: Decodable {
        var up: String
        var down: String?
        var onComplete: Bool?
    }
}
