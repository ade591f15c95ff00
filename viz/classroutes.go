package viz

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/stillup/stillup/viz/class"
)

// classRoutes are the routes of those who walk together: a presenter, who has the class's key, and any number who follow.
func (s *server) classRoutes() []route {
	return []route{
		{http.MethodGet, "/follow/{class}", s.getFollow},
		{http.MethodPost, "/api/v1/class", s.postClass},
		{http.MethodPut, "/api/v1/class/{class}", s.putClass},
		{http.MethodDelete, "/api/v1/class/{class}", s.deleteClass},
		{http.MethodGet, "/api/v1/class/{class}/live", s.getClassLive},
		{http.MethodPost, "/api/v1/class/{class}/guess", s.postGuess},
	}
}

// getFollow answers the page, which follows by itself: also a class that is not there yet, for its presenter may come back.
func (s *server) getFollow(w http.ResponseWriter, r *http.Request) error {
	if len(s.tour.Chapters) == 0 {
		return refuse(http.StatusNotFound, "%s", s.nowhere())
	}
	s.page.ServeHTTP(w, r)
	return nil
}

// classMove is where a presenter, who has the key, wants the class.
type classMove struct {
	Key     string `json:"key"`
	Chapter string `json:"chapter"`
	Step    string `json:"step"`
}

// postClass begins a class, or lets its presenter come back to it.
func (s *server) postClass(w http.ResponseWriter, r *http.Request) error {
	var given struct {
		ID string `json:"id"`
		classMove
	}
	if err := readJSON(w, r, &given); err != nil {
		return err
	}
	at, err := s.place(given.Chapter, given.Step)
	if err != nil {
		return err
	}
	id, key, err := s.classes.Begin(given.ID, given.Key, at)
	if err != nil {
		return noClass(given.ID, err)
	}
	return answer(w, struct {
		ID     string `json:"id"`
		Key    string `json:"key"`
		Follow string `json:"follow"`
	}{id, key, "/follow/" + id})
}

// putClass moves a class.
func (s *server) putClass(w http.ResponseWriter, r *http.Request) error {
	var given classMove
	if err := readJSON(w, r, &given); err != nil {
		return err
	}
	at, err := s.place(given.Chapter, given.Step)
	if err != nil {
		return err
	}
	if err := s.classes.Move(r.PathValue("class"), given.Key, at); err != nil {
		return noClass(r.PathValue("class"), err)
	}
	return answer(w, struct {
		Chapter string `json:"chapter"`
		Step    string `json:"step"`
	}{at.Chapter, at.Step})
}

// deleteClass ends a class.
func (s *server) deleteClass(w http.ResponseWriter, r *http.Request) error {
	var given struct {
		Key string `json:"key"`
	}
	if err := readJSON(w, r, &given); err != nil {
		return err
	}
	if err := s.classes.End(r.PathValue("class"), given.Key); err != nil {
		return noClass(r.PathValue("class"), err)
	}
	return answer(w, struct {
		Ended bool `json:"ended"`
	}{true})
}

// getClassLive answers how a class stands whenever that changes, as server-sent events, until it ends.
func (s *server) getClassLive(w http.ResponseWriter, r *http.Request) error {
	for name := range r.URL.Query() {
		if name != "who" && name != "key" {
			return refuse(http.StatusBadRequest, "unknown parameter %q; there are who and key", name)
		}
	}
	l, err := s.classes.Listen(r.PathValue("class"), r.URL.Query().Get("who"), r.URL.Query().Get("key"))
	if err != nil {
		return noClass(r.PathValue("class"), err)
	}
	defer l.Close()
	s.sendEvents(w, r, "the class follows", func(ctx context.Context) ([]byte, error) {
		m, err := l.Next(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(m)
	})
	return nil
}

// postGuess takes what a follower guesses at the step that the class is at.
func (s *server) postGuess(w http.ResponseWriter, r *http.Request) error {
	var given struct {
		Who     string          `json:"who"`
		Chapter string          `json:"chapter"`
		Step    string          `json:"step"`
		Guess   map[string]bool `json:"guess"`
	}
	if err := readJSON(w, r, &given); err != nil {
		return err
	}
	id := r.PathValue("class")
	if s.classes.Has(id) && s.stepDone(given.Chapter, given.Step) {
		return refuse(http.StatusConflict, "the step is done: what was measured is known, and nothing is left to guess")
	}
	err := s.classes.Guess(id, given.Who, given.Chapter, given.Step, given.Guess)
	if errors.Is(err, class.ErrCell) {
		return s.notAsked(given.Chapter, given.Step)
	}
	if err != nil {
		return noClass(id, err)
	}
	return answer(w, struct {
		Guess map[string]bool `json:"guess"`
	}{given.Guess})
}

// place is a step, and what it asks. Without a chapter the class has not begun; without a step it looks at what begins the
// chapter; the summary has no steps.
func (s *server) place(chapter, step string) (class.Place, error) {
	p := class.Place{Chapter: chapter, Step: step}
	if step == "" && (chapter == "" || chapter == summaryPage) && len(s.tour.Chapters) > 0 {
		return p, nil
	}
	c, err := s.chapter(chapter)
	if err != nil || step == "" {
		return p, err
	}
	st, err := stepOf(c, step)
	if err == nil && st.Predict != nil {
		p.Cells = st.Predict.Cells
	}
	return p, err
}

// notAsked says what may be guessed at a step.
func (s *server) notAsked(chapter, step string) error {
	if p, err := s.place(chapter, step); err == nil && len(p.Cells) > 0 {
		return refuse(http.StatusBadRequest, "the guess is empty, or of cells that are not asked for here; there are %s", strings.Join(p.Cells, ", "))
	}
	return refuse(http.StatusBadRequest, "nothing is asked at this step")
}

// noClass says why a class did not do as it was told.
func noClass(id string, err error) error {
	switch {
	case errors.Is(err, class.ErrUnknown):
		return refuse(http.StatusNotFound, "there is no class %q; it has ended, or the dashboard was started anew and its presenter is not back yet", clipped(id))
	case errors.Is(err, class.ErrKey):
		return refuse(http.StatusForbidden, "only the presenter of class %s may do this, with its key", id)
	case errors.Is(err, class.ErrFull):
		return refuse(http.StatusServiceUnavailable, "there are %d classes already; end one, or wait: a class that nobody listens to is forgotten after 2 hours", class.MaxClasses)
	case errors.Is(err, class.ErrCrowded):
		return refuse(http.StatusServiceUnavailable, "class %s has %d followers already, which is as many as there may be", id, class.MaxFollowers)
	case errors.Is(err, class.ErrMoved):
		return refuse(http.StatusConflict, "class %s is at another step", id)
	case errors.Is(err, class.ErrName), errors.Is(err, class.ErrBad):
		return refuse(http.StatusBadRequest, "%s", err)
	}
	return err
}
