// @ts-check
// The follower's side of a class: its page goes where the presenter's is, its guesses are sent, and it acts on nothing.

import { call, ownName, passes } from './classcall.js';
import { ClassLive } from './classlive.js';
import { followWords } from './classparts.js';
import { attr, el, text } from './dom.js';
import { Newest } from './newest.js';
import { onlyLooks } from './onlylooks.js';

/** @typedef {Record<string, boolean>} Guess by cell */
/** @typedef {(guess: Guess) => void} Guessed */
/**
 * @typedef {{say: import('./verbs.js').Say, go: (chapter: string, step: string) => void, guess: (cb: Guessed) => void}} Hands
 *   go: the class is at this step now; guess: given once what is to be called with each answer that is given to it
 */
/** @typedef {{chapter: string, step: string, guess: Guess, taken: boolean}} Given */

export class Follower {
  /** @param {string} id of the class @param {Hands} hands */
  constructor(id, hands) {
    this.id = id;
    this.hands = hands;
    this.who = ownName();
    /** Where the class is. */
    this.place = { chapter: '', step: '' };
    this.lost = false;
    /** @type {Given|undefined} the newest answer */
    this.given = undefined;
    this.title = el('b', 'following-title', 'You follow a class');
    this.count = el('span', 'following-count');
    this.said = el('p', 'following-said', 'Looking for it…');
    this.answer = el('p', 'following-answer');
    for (const e of [this.said, this.answer]) attr(e, 'role', 'status');
    this.root = el('section', 'following', el('p', 'following-head', this.title, ' ', this.count), this.said, this.answer);
    attr(this.root, 'aria-label', 'The class');
    onlyLooks(() => hands.say('you follow a class: only its presenter acts here', true));
    this.newest = new Newest((/** @type {Given} */ g) => this.send(g), {
      passes,
      waits: (g, e) => this.given === g && text(this.answer, `Your answer waits: ${e instanceof Error ? e.message : e}. It is sent again.`),
      refused: (g, e) => {
        if (this.given !== g || g.taken) return;
        this.given = undefined;
        text(this.answer, `Your answer was not taken: ${e instanceof Error ? e.message : e}.`);
      },
    });
    hands.guess((guess) => {
      if (Object.keys(guess).length === 0) return; // the question was passed over
      this.given = { ...this.place, guess, taken: false };
      text(this.answer, 'Your answer is sent…');
      this.newest.put(this.given);
    });
    this.live = new ClassLive(id, { who: this.who }, { told: (t) => this.tell(t), lost: (why, status) => this.away(why, status === 404) });
  }

  /** @param {Given} g */
  async send(g) {
    await call('POST', `/api/v1/class/${encodeURIComponent(this.id)}/guess`, { who: this.who, chapter: g.chapter, step: g.step, guess: g.guess });
    g.taken = true;
    if (this.given === g) text(this.answer, 'Your answer is in.');
  }

  /** @param {import('./classparts.js').Told} t */
  tell(t) {
    if (t.ended) return this.end();
    const { chapter, step } = t, moved = chapter !== this.place.chapter || step !== this.place.step, back = this.lost;
    this.lost = false;
    text(this.count, `· ${followWords(t.followers)}`);
    text(this.said, chapter ? 'Your page goes along with its presenter.' : 'It has not begun yet. Your page goes along when it does.');
    this.said.dataset.tone = '';
    if (moved) {
      this.place = { chapter, step };
      this.given = undefined;
      text(this.answer, '');
      if (chapter && step) this.hands.go(chapter, step);
    } else if (back && this.given) this.newest.put(this.given); // a dashboard that was started anew does not have it
  }

  /** @param {string} why @param {boolean} gone */
  away(why, gone) {
    this.lost = true;
    text(this.count, '');
    text(this.said, gone ? 'There is no class at this address now. It may have ended: ask for the link of the next one. If it is opened again, your page goes on by itself.'
      : `Not live now: ${why}. What you see is what was last known. Trying again.`);
    this.said.dataset.tone = 'warned';
  }

  /** There is nothing to follow any more. */
  end() {
    this.close();
    text(this.title, 'The class has ended');
    text(this.count, '');
    text(this.answer, '');
    const a = el('a', 'go', 'walk through it yourself');
    a.href = '/walkthrough';
    this.said.replaceChildren('The map goes on. For the next class, ask for its link; where you may act, ', a, '.');
    this.said.dataset.tone = '';
  }

  /** Nothing is heard or sent any more. */
  close() {
    this.live.close();
    this.newest.close();
  }
}
