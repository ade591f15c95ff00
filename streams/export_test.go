package streams

// EntryOf is what a consumer makes of a message.
var EntryOf = entryOf
