import ModelStore
import WireJSON

extension Row {
    /// The row as clients get it: an object with the columns in the table's order.
    package var json: JSON {
        var object = JSONObject()
        for (column, value) in fields { object[column] = value.json }
        return .object(object)
    }
}
