// Package tour is the walkthrough: chapters as data, conditions and measures over the world as measured, and the run of a
// step from its question to its answer; no I/O.
package tour

import "time"

// Chapter is one chapter: what a person does, in steps, to see one claim for themselves. It is read from one YAML file by
// [Read]; its JSON is what a browser gets.
type Chapter struct {
	ID      string `yaml:"id" json:"id"`
	Title   string `yaml:"title" json:"title"`
	Claim   string `yaml:"claim" json:"claim"`     // in a sentence
	Minutes int    `yaml:"minutes" json:"minutes"` // that it takes, roughly
	Begin   Begin  `yaml:"begin" json:"begin"`
	Steps   []Step `yaml:"steps" json:"steps"` // 3 to 8
}

// Begin is the state in which a chapter begins, beside everything being up and without faults.
type Begin struct {
	Load    *float64 `yaml:"load" json:"load"`       // per second; nil: it is left as it is
	Actions []string `yaml:"actions" json:"actions"` // jobs of the system file that put data in their first shape; each is waited for
}

// Step is one step. What it says before it is done is Say, and after it After; Sum is the sentence that the last page keeps of it.
type Step struct {
	ID    string `yaml:"id" json:"id"`
	Title string `yaml:"title" json:"title"`
	Say   string `yaml:"say" json:"say"`     // at most 60 words; "[term]" is one of the glossary
	After string `yaml:"after" json:"after"` // at most 60 words, with measures in braces: "{p50 of buy in sync}"; "[term]" as in Say
	Sum   string `yaml:"sum" json:"sum"`     // at most 40 words, with measures; may be empty
	// Show is what of the page matters in this step.
	Show Show `yaml:"show" json:"show"`
	// Predict is asked before the step's Do; nil: nothing is.
	Predict *Predict `yaml:"predict" json:"predict"`
	// Do is what the step's button does, in order: "kill stock". A person may do the same on the map. Empty: there is only to look.
	Do []Deed `yaml:"do" json:"do"`
	// Until are the conditions that must all hold for the step to be done. Empty: it is done once it was read.
	Until []Condition `yaml:"until" json:"until"`
	// Within is after how many seconds a step that is not done yet says what it sees instead; 0: 15.
	Within int `yaml:"within" json:"within"`
	// Help is what else is said then, the first whose When holds, beside what the conditions themselves see.
	Help []Help `yaml:"help" json:"help"`
}

// Show is what of the page a step is about: it is lit and the rest dimmed.
type Show struct {
	Nodes   []string `yaml:"nodes" json:"nodes"`     // ids; a store is lit with its service
	Streams []string `yaml:"streams" json:"streams"` // names
	Pattern string   `yaml:"pattern" json:"pattern"` // the lens of the map; empty: all
	Cells   []string `yaml:"cells" json:"cells"`     // of the matrix, "FEATURE in PATTERN", either may be "every"; empty: all alike
	Data    string   `yaml:"data" json:"data"`       // the way of the panel of data that is opened: "copies/products/p-01"; empty: none
	Cost    string   `yaml:"cost" json:"cost"`       // the cell whose request is opened hop by hop, "FEATURE in PATTERN"; empty: none
}

// Predict is a question about cells of the matrix: which of them will still work?
type Predict struct {
	Ask   string   `yaml:"ask" json:"ask"`
	Cells []string `yaml:"cells" json:"cells"` // "FEATURE in PATTERN", 2 to 12, in the order in which they are asked
	// Why explains a cell, whatever came of it, by "FEATURE in PATTERN": it is said of those that were guessed wrongly.
	Why map[string]string `yaml:"why" json:"why"`
}

// Help is one thing to say to who is stuck.
type Help struct {
	When Condition `yaml:"when" json:"when"`
	Say  string    `yaml:"say" json:"say"`
}

// Term is one term of the field and what it means.
type Term struct {
	Term string   `yaml:"term" json:"term"`
	Also []string `yaml:"also" json:"also"` // other forms of it that texts may use: plurals
	Say  string   `yaml:"say" json:"say"`
}

// Tour is all that there is to walk through.
type Tour struct {
	Chapters []*Chapter `json:"chapters"`
	Glossary []Term     `json:"glossary"`
}

// Phase is how far a step is.
type Phase string

// The phases of a step: Waiting for its conditions; Settling: they hold, and what they changed is still being measured; Done.
const (
	Waiting  Phase = "waiting"
	Settling Phase = "settling"
	Done     Phase = "done"
)

// Verdict is how a step stands, as measured: what its listeners are told whenever it changes.
type Verdict struct {
	Chapter    string  `json:"chapter"`
	Step       string  `json:"step"`
	Phase      Phase   `json:"phase"`
	Conditions []Seen  `json:"conditions"` // in the step's order
	Help       []Said  `json:"help"`       // what to do instead, once the step's time is over; else empty
	TookMS     float64 `json:"took_ms"`    // from the step's deed (else its beginning) until its conditions held; 0 until then
	// Of a step that is done, frozen at that moment:
	After  string    `json:"after"` // with its measures filled in
	Sum    string    `json:"sum"`   // so too
	Cells  []Found   `json:"cells"` // that were asked for, in the question's order
	DoneAt time.Time `json:"done_at,omitzero"`
}

// Seen is a condition and what is seen in its place.
type Seen struct {
	Text  string `json:"text"` // in words: "stock is down"
	Holds bool   `json:"holds"`
	Sees  string `json:"sees"` // in words, of one that does not hold: "stock is up"
}

// Said is one piece of help, and what can be done about it at once.
type Said struct {
	Text string `json:"text"`
	Deed string `json:"deed"` // "start stock", as a button offers it; empty: none
}

// Found is a cell of a question as it was measured.
type Found struct {
	Cell    string   `json:"cell"` // "buy in sync"
	State   string   `json:"state"`
	Answers bool     `json:"answers"` // it works, be it slowly or with old data
	Reason  string   `json:"reason"`  // of its last failure, in words; may be empty
	Because []string `json:"because"` // nodes whose state explains it
	Why     string   `json:"why"`     // the author's explanation; may be empty
}
