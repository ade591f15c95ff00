// @ts-check
// Requests to the dashboard's own server.

/**
 * Posts, and waits until it is done.
 * @param {string} path @param {unknown} [body] @param {AbortSignal} [signal] ends the waiting
 * @returns {Promise<string>} the answer's body
 * @throws {Error} whose message says what went wrong: the problem document's detail where there is one;
 *   of an ended signal, its own
 */
export async function post(path, body, signal) {
  let res;
  try {
    res = await fetch(path, {
      method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body), signal,
    });
  } catch {
    if (signal?.aborted) throw signal.reason;
    throw new Error('the dashboard does not answer');
  }
  if (!res.ok) throw new Error(await detail(res));
  return res.text();
}

/**
 * Reads an answer of the API.
 * @param {string} path @param {AbortSignal} signal
 * @returns {Promise<string>} its body
 * @throws {Error} as post; of an ended signal, its own
 */
export async function get(path, signal) {
  let res;
  try {
    res = await fetch(path, { headers: { Accept: 'application/json' }, cache: 'no-store', signal });
  } catch (e) {
    if (signal.aborted) throw e;
    throw new Error('the dashboard does not answer');
  }
  if (!res.ok) throw new Error(await detail(res));
  return res.text();
}

/** What a refused answer says. @param {Response} res @returns {Promise<string>} */
export async function detail(res) {
  const raw = await res.text();
  try {
    const p = JSON.parse(raw);
    if (typeof p.detail === 'string' && p.detail) return p.detail;
    if (typeof p.title === 'string' && p.title) return p.title;
  } catch { /* not a problem document */ }
  return raw.slice(0, 200) || `answered ${res.status}`;
}
