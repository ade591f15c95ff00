package viz

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/stillup/stillup/viz/tour"
)

// summaryPage is the page that sums up what was measured, in place of a chapter's id.
const summaryPage = "summary"

// The API's forms of what there is to walk through.
type (
	chapterAnswer struct {
		ID      string   `json:"id"`
		Title   string   `json:"title"`
		Claim   string   `json:"claim"`
		Minutes int      `json:"minutes"`
		Steps   int      `json:"steps"`
		StepIDs []string `json:"step_ids"`
	}
	walkthroughAnswer struct {
		Chapters []chapterAnswer `json:"chapters"`
		Glossary []tour.Term     `json:"glossary"`
		Can      bool            `json:"can"` // nodes can be acted on
		Why      string          `json:"why"` // not, or there are no chapters; else empty
	}
	didAnswer struct {
		Did []string `json:"did"` // in words; empty: all was so already
	}
)

// tourRoutes are the routes of the walkthrough.
func (s *server) tourRoutes() []route {
	return []route{
		{http.MethodGet, "/walkthrough", s.getChapterPage},
		{http.MethodGet, "/walkthrough/{chapter}", s.getChapterPage},
		{http.MethodGet, "/api/v1/walkthrough", s.getWalkthrough},
		{http.MethodGet, "/api/v1/walkthrough/{chapter}", s.getChapter},
		{http.MethodPost, "/api/v1/walkthrough/{chapter}/begin", s.postBegin},
		{http.MethodPost, "/api/v1/walkthrough/leave", s.postLeave},
		{http.MethodPost, "/api/v1/walkthrough/{chapter}/{step}/do", s.postDeeds},
		{http.MethodGet, "/api/v1/walkthrough/{chapter}/{step}/live", s.getStepLive},
	}
}

// chapterIDs are those of all chapters, in order.
func (s *server) chapterIDs() []string {
	var ids []string
	for _, c := range s.tour.Chapters {
		ids = append(ids, c.ID)
	}
	return ids
}

// chapter is the chapter of that id.
func (s *server) chapter(id string) (*tour.Chapter, error) {
	for _, c := range s.tour.Chapters {
		if c.ID == id {
			return c, nil
		}
	}
	if len(s.tour.Chapters) == 0 {
		return nil, refuse(http.StatusNotFound, "%s", s.nowhere())
	}
	return nil, refuse(http.StatusNotFound, "no chapter is called %q; there are %s", clipped(id), strings.Join(s.chapterIDs(), ", "))
}

// step is the step that a request's path names.
func (s *server) step(r *http.Request) (*tour.Chapter, *tour.Step, error) {
	c, err := s.chapter(r.PathValue("chapter"))
	if err != nil {
		return nil, nil, err
	}
	st, err := stepOf(c, r.PathValue("step"))
	return c, st, err
}

// stepOf is the chapter's step of that id.
func stepOf(c *tour.Chapter, id string) (*tour.Step, error) {
	var ids []string
	for i := range c.Steps {
		if c.Steps[i].ID == id {
			return &c.Steps[i], nil
		}
		ids = append(ids, c.Steps[i].ID)
	}
	return nil, refuse(http.StatusNotFound, "%s has no step %q; there are %s", c.ID, clipped(id), strings.Join(ids, ", "))
}

// nowhere says why there is nothing to walk through.
func (s *server) nowhere() string {
	if s.Demo != nil {
		return "this is a demo: nothing of it is measured, so there is nothing to walk through"
	}
	return "this system has no chapters; start the dashboard with --chapters FOLDER"
}

// getChapterPage answers the page with a chapter, the summary, or the list of chapters open.
func (s *server) getChapterPage(w http.ResponseWriter, r *http.Request) error {
	if id := r.PathValue("chapter"); id != "" && id != summaryPage || len(s.tour.Chapters) == 0 {
		if _, err := s.chapter(id); err != nil {
			return err
		}
	}
	s.page.ServeHTTP(w, r)
	return nil
}

func (s *server) getWalkthrough(w http.ResponseWriter, _ *http.Request) error {
	a := walkthroughAnswer{Chapters: []chapterAnswer{}, Glossary: slices.Clone(s.tour.Glossary), Can: true}
	for _, c := range s.tour.Chapters {
		one := chapterAnswer{c.ID, c.Title, c.Claim, c.Minutes, len(c.Steps), []string{}}
		for _, st := range c.Steps {
			one.StepIDs = append(one.StepIDs, st.ID)
		}
		a.Chapters = append(a.Chapters, one)
	}
	if a.Glossary == nil {
		a.Glossary = []tour.Term{}
	}
	if p := s.possibleDeeds(s.frame()); p != nil {
		a.Can, a.Why = false, p.Detail
	}
	if len(a.Chapters) == 0 {
		a.Can, a.Why = false, s.nowhere()
	}
	return answer(w, a)
}

func (s *server) getChapter(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r.PathValue("chapter"))
	if err != nil {
		return err
	}
	return answer(w, c)
}

// postBegin puts the lab in the state in which a chapter begins.
func (s *server) postBegin(w http.ResponseWriter, r *http.Request) error {
	c, err := s.chapter(r.PathValue("chapter"))
	if err == nil {
		err = readNothing(w, r, "begin")
	}
	if err != nil {
		s.audit(r, "begin", clipped(r.PathValue("chapter")), err)
		return err
	}
	did, err := s.alone(r, "the chapter "+c.ID+" is being begun", func() ([]string, error) { return s.beginChapter(c) })
	s.audit(r, "begin", c.ID, err)
	return answerDid(w, did, err)
}

// postLeave puts the lab back as it was.
func (s *server) postLeave(w http.ResponseWriter, r *http.Request) error {
	did, err := []string(nil), readNothing(w, r, "leave")
	if err == nil && len(s.tour.Chapters) == 0 {
		err = refuse(http.StatusConflict, "%s", s.nowhere())
	}
	if err == nil {
		did, err = s.alone(r, "the walkthrough is being left", s.leaveWalk)
	}
	s.audit(r, "leave", "", err)
	return answerDid(w, did, err)
}

// postDeeds does what a step's button does, or one deed of its help.
func (s *server) postDeeds(w http.ResponseWriter, r *http.Request) error {
	c, st, err := s.step(r)
	var deeds []tour.Deed
	if err == nil {
		deeds, err = s.deedsAsked(w, r, c, st)
	}
	if err != nil {
		s.audit(r, "step", clipped(r.PathValue("chapter")+" "+r.PathValue("step")), err)
		return err
	}
	did, err := s.alone(r, "what the step "+st.ID+" does is being done", func() ([]string, error) {
		return s.walk.act(s.ending, c, st, func() ([]string, error) { return s.doDeeds(r, deeds) })
	})
	s.audit(r, "step", c.ID+" "+st.ID, err) // beside each deed that was begun
	return answerDid(w, did, err)
}

// deedsAsked are the step's deeds, or the one of its deeds or of its help that the body names.
func (s *server) deedsAsked(w http.ResponseWriter, r *http.Request, c *tour.Chapter, st *tour.Step) ([]tour.Deed, error) {
	var body struct {
		Deed *string `json:"deed"`
	}
	if err := readMaybe(w, r, &body, `send {"deed": "..."}, one of the step's or of its help, or no body`); err != nil {
		return nil, err
	}
	if body.Deed == nil {
		if len(st.Do) == 0 {
			return nil, refuse(http.StatusConflict, "in the step %s there is only to look", st.ID)
		}
		return st.Do, nil
	}
	d, err := tour.ParseDeed(*body.Deed)
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "%q is no deed: %s", clipped(*body.Deed), err)
	case !s.walk.offers(c, st, d.String()):
		return nil, refuse(http.StatusConflict, "the step %s does not have %q now; it may be done already", st.ID, clipped(d.String()))
	}
	return []tour.Deed{d}, nil
}

func answerDid(w http.ResponseWriter, did []string, err error) error {
	if err != nil {
		return err
	}
	if did == nil {
		did = []string{}
	}
	return answer(w, didAnswer{did})
}

// getStepLive answers how a step stands, at once and whenever that changes, as server-sent events.
func (s *server) getStepLive(w http.ResponseWriter, r *http.Request) error {
	c, st, err := s.step(r)
	if err != nil {
		return err
	}
	l, err := s.walk.listen(c, st)
	if errors.Is(err, errFull) {
		return refuse(http.StatusServiceUnavailable, "%d listen to steps already; close one of them", maxWalkers)
	}
	if err != nil {
		return err
	}
	defer l.close()
	s.sendEvents(w, r, "how the step stands follows", func(ctx context.Context) ([]byte, error) { return l.next(ctx) })
	return nil
}
