// The page's own script: takes with their players and pictures, what survives a reload, and a question before typed chords are replaced.
// Gradio's events call the functions that are returned at the end; buttons with data-do call those of `actions`.
window.mustango = (() => {
  const find = selector => document.querySelector(selector);
  const all = selector => [...document.querySelectorAll(selector)];
  const box = name => find(`#${name} :is(textarea, input)`).value;
  const drawSeed = () => Math.floor(Math.random() * 100000);
  const busy = () => find('#generate').disabled;

  // ------------------------------------------------------------------ kept over a reload, in this tab only

  const KEPT = 'mustango', MOST_KEPT = 200000;
  const stored = () => { try { return JSON.parse(sessionStorage.getItem(KEPT)) || {}; } catch { return {}; } };
  const hex = bytes => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
  // token: the secret name of this tab. working: takes were being made when the page was left. filled: what the prompt filled in. put: chords that the page put there, nobody typed them.
  const tab = {token: hex(crypto.getRandomValues(new Uint8Array(16))), inputs: null, filled: {}, put: '', ...stored()};
  let ready = false;
  const store = () => {
    const text = JSON.stringify(tab);
    try { if (text.length < MOST_KEPT) sessionStorage.setItem(KEPT, text); } catch { /* a browser that keeps nothing */ }
  };
  const workStopped = tab.working;
  store();
  addEventListener('pagehide', () => { tab.working = window['state of cancel'] === 'running'; store(); });

  const named = values => Object.fromEntries(mustango.names.map((name, i) => [name, values[i]]));

  function keep(values) {
    if (!ready) return;
    tab.inputs = named(values);
    store();
  }

  // ------------------------------------------------------------------ controls

  // What comes back from the server may be late: what was typed meanwhile stays, so it is read where it was typed.
  function fill(stated, key, meter) {
    const before = tab.filled || {}, now = {chords: box('chords'), tempo: box('tempo'), key, meter};
    const empty = {chords: '', tempo: '', key: 'Auto', meter: 'Auto'};
    const filled = name => [empty[name], before[name]].includes(now[name]) ? stated[name] : now[name];
    if (filled('chords') === stated.chords) tab.put = stated.chords;
    tab.filled = stated;
    store();
    return ['chords', 'tempo', 'key', 'meter'].map(filled);
  }

  // Ask before chords are replaced that somebody typed.
  function mayReplace(chords) {
    const typed = box('chords').trim(), dialog = find('#ask');
    if (chords === undefined || !typed || typed === (tab.put || '').trim() || typed === chords.trim()) return Promise.resolve(true);
    find('#ask-text').textContent = `Replace the chords you typed, “${typed}”, with “${chords}”?`;
    dialog.returnValue = 'no';
    dialog.showModal();
    return new Promise(answer => dialog.addEventListener('close', () => answer(dialog.returnValue === 'yes'), {once: true}));
  }

  let changes = {};

  // Set controls by name, through Gradio, which calls `merged`.
  async function set(values, show) {
    if (!await mayReplace(values.chords)) return;
    changes = values;
    tab.filled = {};  // what is set stays, even where it is what the prompt before stated
    if (values.chords !== undefined) tab.put = values.chords;
    store();
    find('#set').click();
    if (show) look(find(show), 'start');
  }

  const merged = values => Object.values({...named(values), ...changes});

  // The settings of a request, as the controls show them.
  function settings(request) {
    const bars = /^(\d+) bars?$/.exec(request.duration);
    const open = {key: request.key || 'Auto', meter: request.meter || 'Auto', tempo: String(request.tempo ?? '')};
    const length = bars ? {length: bars[1], unit: 'bars'} : {length: String(request.duration ?? ''), unit: 'seconds'};
    const [lora, scale] = (request.lora || 'None').split(':');
    const adapter = {lora, lora_scale: Number(scale ?? 1)};
    const values = {...request, ...open, ...length, ...adapter, count: 1, loudness: request.loudness === null ? 'As made' : '-14 LUFS'};
    return Object.fromEntries(mustango.names.filter(name => name in values).map(name => [name, values[name]]));
  }

  // Keep an element in sight.
  function look(element, block = 'nearest') {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    element.scrollIntoView({block, behavior: calm ? 'auto' : 'smooth'});
  }

  function lookAtStatus() {
    const status = find('#status').getBoundingClientRect();
    if (status.top < 0 || status.bottom > innerHeight) look(find('#status'), 'start');
  }

  // The tempo of the taps so far, as text; the tempo as it stands before the second of them. A pause begins anew.
  let taps = [];
  function tap(tempo) {
    const now = performance.now(), fresh = taps.filter(time => now - time < 12000);
    taps = fresh.length && now - fresh[fresh.length - 1] > 2500 ? [now] : [...fresh, now];
    const count = taps.length - 1;
    return count < 1 ? tempo : String(Math.min(300, Math.max(20, Math.round(60000 * count / (now - taps[0])))));
  }

  let usedSeed = null, again = null;

  // What only the browser knows of a request on its way.
  const known = stopping => [document.body.classList.contains('dark'), stopping, tab.token];

  function ask(values, stopping) {
    usedSeed = named(values).seed;
    return [...values.slice(0, mustango.names.length), ...known(stopping)];
  }

  const askAgain = stopping => [again, ...known(stopping)];

  // In a box of several lines Enter is a new line, which Gradio would take for the order to begin; with Ctrl or Cmd it is that order.
  for (const kind of ['keydown', 'keypress']) document.addEventListener(kind, event => {
    if (event.key !== 'Enter' || !event.target.matches?.('#prompt textarea, #chords textarea')) return;
    event.stopImmediatePropagation();
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    if (kind === 'keydown' && !event.repeat && !busy()) find('#generate').click();
  }, true);

  // ------------------------------------------------------------------ takes

  const take = id => find(`.take[data-id="${id}"]`);
  const sound = id => take(id)?.querySelector('audio');
  const takeOf = element => element.closest('.take');

  // Add takes that are new and what was heard of those that are there. Nothing that plays is touched. Returns the seed for the next.
  function arrive(arrived, seed, locked) {
    for (const card of arrived?.cards || []) {
      const there = take(card.id);
      if (!there) add(card);
      else if (card.heard) there.querySelector('.heard').innerHTML = card.heard;
    }
    showCompared();
    const made = arrived?.cards?.length && !arrived.restored;
    return made && !locked && seed === usedSeed ? drawSeed() : seed;
  }

  function add(card) {
    const template = document.createElement('template');
    template.innerHTML = card.html;
    template.content.querySelector('.take').dataset.until = performance.now() + card.left_ms;  // no clock that somebody sets
    const time = new Date(Date.now() + card.left_ms).toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
    template.content.querySelector('.until').textContent = `Deleted at ${time}.`;
    find('#take-list').prepend(template.content);
    find('#takes').hidden = false;
    if (!slots.chosen) Object.assign(slots, {B: slots.A, A: card.id});
  }

  // Say of takes whose time is over that their files are deleted; one that plays may end.
  function expire() {
    for (const card of all('.take:not(.gone)')) {
      if (performance.now() < Number(card.dataset.until) || !card.querySelector('audio').paused) continue;
      card.classList.add('gone');
      card.querySelectorAll('audio, .heard, .downloads, .slots').forEach(part => part.remove());
      card.querySelector('.until').textContent = 'Its files were deleted.';
      if ([slots.A, slots.B].includes(card.dataset.id)) Object.assign(slots, {A: null, B: null, chosen: false});
    }
    showCompared();
  }
  setInterval(expire, 10000);

  // A pause may come before the sound does: then the browser breaks the promise of play(), and nothing is wrong.
  const start = audio => audio.play().catch(error => { if (error.name !== 'AbortError') throw error; });

  function seek(audio, time_s, play) {
    const go = () => { audio.currentTime = time_s < audio.duration ? time_s : 0; if (play) start(audio); };
    if (audio.readyState) return go();
    audio.addEventListener('loadedmetadata', go, {once: true});
    audio.load();
  }

  // One plays at a time.
  document.addEventListener('play', ({target}) => {
    for (const other of all('audio')) if (other !== target) other.pause();
    const card = takeOf(target);
    if (!card) return;
    slots.heard = card.dataset.id;
    showCompared();
    follow(target);
  }, true);

  // ------------------------------------------------------------------ A/B

  const slots = {A: null, B: null, heard: null, chosen: false};

  function showCompared() {
    for (const button of all('[data-do=slot]'))
      button.setAttribute('aria-pressed', slots[button.dataset.slot] === takeOf(button).dataset.id);
    const both = sound(slots.A) && sound(slots.B);
    find('#compare').hidden = !both;
    if (!both) return;
    const name = slot => `${slot}: take ${take(slots[slot]).querySelector('h3').textContent.split('.')[0]}`;
    const now = ['A', 'B'].find(slot => slots[slot] === slots.heard && !sound(slots[slot]).paused);
    find('#compared').textContent = `${name('A')}, ${name('B')}${now ? `; you hear ${now}` : ''}`;
  }

  function choose(slot, id) {
    const other = slot === 'A' ? 'B' : 'A';
    if (slots[other] === id) slots[other] = slots[slot];
    slots[slot] = id;
    slots.chosen = true;
    sound(id).preload = 'auto';
    showCompared();
  }

  // The time in take `to` of the place in the music that take `from` has at a time: the same part of the same bar.
  function samePlace(from, to, time_s) {
    const [here, there] = [from, to].map(id => JSON.parse(take(id).dataset.bars));
    const bar = within(here.findLastIndex(start_s => start_s <= time_s), 0, here.length - 2);
    const part = (time_s - here[bar]) / (here[bar + 1] - here[bar]), other = Math.min(bar, there.length - 2);
    return there[other] + (bar - other + part) * (there[other + 1] - there[other]);
  }

  // Go on in the other of the two takes, at the same place.
  function switchTakes() {
    slots.chosen = true;  // a take that arrives now is not compared unless it is chosen
    const from = slots.heard === slots.B ? slots.B : slots.A, to = from === slots.A ? slots.B : slots.A;
    if (![slots.A, slots.B].includes(slots.heard)) return start(sound(slots.A));
    const time_s = Math.max(samePlace(from, to, sound(from).currentTime), 0);
    sound(from).pause();
    seek(sound(to), time_s, true);
  }

  // ------------------------------------------------------------------ pictures

  const placeOf = scrub => JSON.parse(scrub.dataset.place);
  const within = (value, low, high) => Math.min(Math.max(value, low), high);

  function timeAt(scrub, x, y) {
    const {lines, scale_s, left, right} = placeOf(scrub), frame = scrub.getBoundingClientRect();
    const [start_s, end_s] = lines[within(Math.floor((y - frame.top) / frame.height * lines.length), 0, lines.length - 1)];
    const share = ((x - frame.left) / frame.width - left) / (1 - left - right);
    return within(start_s + share * scale_s, start_s, end_s);
  }

  function showPlace(scrub, time_s) {
    const {lines, scale_s, left, right} = placeOf(scrub), head = scrub.querySelector('.playhead');
    const line = lines.findLastIndex(([start_s]) => start_s <= time_s);
    const share = (time_s - lines[Math.max(line, 0)][0]) / scale_s;
    const percent = part => `${100 * part}%`;
    head.hidden = false;
    Object.assign(head.style, {
      left: percent(left + share * (1 - left - right)), top: percent(Math.max(line, 0) / lines.length), height: percent(1 / lines.length),
    });
    scrub.setAttribute('aria-valuenow', time_s.toFixed(1));
    scrub.setAttribute('aria-valuetext', `${time_s.toFixed(1)} s`);
  }

  function follow(audio) {
    const scrub = takeOf(audio)?.querySelector('.scrub');
    if (scrub) showPlace(scrub, audio.currentTime);
    if (!audio.paused) requestAnimationFrame(() => follow(audio));
  }
  for (const event of ['seeked', 'pause', 'ended']) document.addEventListener(event, ({target}) => { follow(target); showCompared(); }, true);

  document.addEventListener('click', event => {
    const scrub = event.target.closest?.('.scrub');
    if (scrub) seek(takeOf(scrub).querySelector('audio'), timeAt(scrub, event.clientX, event.clientY), true);
  });

  document.addEventListener('keydown', event => {
    const scrub = event.target.closest?.('.scrub');
    if (!scrub) return;
    const audio = takeOf(scrub).querySelector('audio'), {beat_s, scale_s} = placeOf(scrub);
    const steps = {
      ArrowRight: beat_s, ArrowUp: beat_s, ArrowLeft: -beat_s, ArrowDown: -beat_s, PageDown: scale_s, PageUp: -scale_s, Home: -1e9,
    };
    if (event.key in steps) seek(audio, within(audio.currentTime + steps[event.key], 0, audio.duration || 0), !audio.paused);
    else if (event.key === ' ' || event.key === 'Enter') audio.paused ? start(audio) : audio.pause();
    else return;
    event.preventDefault();
  });

  // ------------------------------------------------------------------ buttons

  const actions = {
    set: button => set(JSON.parse(button.dataset.values)),
    example: button => set(JSON.parse(button.dataset.values), '#prompt'),
    chords: button => set({chords: takeOf(button).dataset.chords}, '#chords'),
    settings: button => set(settings(JSON.parse(takeOf(button).dataset.request)), '#prompt'),
    slot: button => choose(button.dataset.slot, takeOf(button).dataset.id),
    switch: switchTakes,
    again: button => {
      if (busy()) return;
      again = {...JSON.parse(takeOf(button).dataset.request), seed: drawSeed()};
      find('#again').click();
    },
  };
  document.addEventListener('click', event => {
    const button = event.target.closest?.('button');
    if (button?.dataset.do) actions[button.dataset.do](button);
    else if (button?.closest('#ask')) find('#ask').close(button.value);
  });

  // An error about the input goes when the input is another; one that the plan shows, too, stays.
  function withoutOldError(status, place) {
    const shown = find(`${place} .input.error p`)?.textContent;
    return shown && shown !== find('#plan .error p')?.textContent ? '' : status;
  }

  // A fault that the status tells is not told by the plan, too.
  function sayOnce() {
    const plan = find('#plan .plan.error'), told = find('#status .error p')?.textContent;
    if (plan) plan.hidden = told === plan.querySelector('p').textContent;
  }

  return {
    arrive, ask, askAgain, drawSeed, expire, fill, keep, lookAtStatus, merged, sayOnce, set, tap, withoutOldError,
    names: [],
    begin: () => [tab.inputs, tab.token],
    restored: (status, stopped) => { ready = true; return workStopped ? stopped : status; },
  };
})();
