// How colours look to eyes of other kinds, how far apart they are, and how well they stand out. Colours are #rrggbb.

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB: what those see whom one kind of cone is missing. */
const MISSING = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
export const EYES = Object.keys(MISSING);

const linear = (hex) => [1, 3, 5].map((i) => {
  const c = parseInt(hex.slice(i, i + 2), 16) / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
});

/** Linear RGB of a colour as those eyes see it. */
function seen(hex, eyes) {
  const rgb = linear(hex), m = MISSING[eyes];
  return [0, 3, 6].map((i) => Math.min(1, Math.max(0, m[i] * rgb[0] + m[i + 1] * rgb[1] + m[i + 2] * rgb[2])));
}

function lab([r, g, b]) {
  const f = (t) => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389 / 27 + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047), y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIEDE2000 between two Lab colours: 1 is what a trained eye just sees side by side. */
export function deltaE([l1, a1, b1], [l2, a2, b2]) {
  const rad = Math.PI / 180, deg = (a, b) => (a === 0 && b === 0 ? 0 : (Math.atan2(b, a) / rad + 360) % 360);
  const cm = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2, g = 0.5 * (1 - Math.sqrt(cm ** 7 / (cm ** 7 + 25 ** 7)));
  const p1 = a1 * (1 + g), p2 = a2 * (1 + g), c1 = Math.hypot(p1, b1), c2 = Math.hypot(p2, b2), h1 = deg(p1, b1), h2 = deg(p2, b2);
  let dh = h2 - h1, sum = h1 + h2;
  if (c1 * c2 === 0) dh = 0;
  else if (Math.abs(dh) > 180) {
    dh -= Math.sign(dh) * 360;
    sum += sum < 360 ? 360 : -360;
  }
  const hm = c1 * c2 === 0 ? sum : sum / 2, lm = (l1 + l2) / 2, c = (c1 + c2) / 2, dH = 2 * Math.sqrt(c1 * c2) * Math.sin(dh * rad / 2);
  const t = 1 - 0.17 * Math.cos((hm - 30) * rad) + 0.24 * Math.cos(2 * hm * rad) + 0.32 * Math.cos((3 * hm + 6) * rad) - 0.2 * Math.cos((4 * hm - 63) * rad);
  const sl = 1 + (0.015 * (lm - 50) ** 2) / Math.sqrt(20 + (lm - 50) ** 2), sc = 1 + 0.045 * c, sh = 1 + 0.015 * c * t;
  const rt = -Math.sin(60 * Math.exp(-(((hm - 275) / 25) ** 2)) * rad) * 2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7));
  return Math.sqrt(((l2 - l1) / sl) ** 2 + ((c2 - c1) / sc) ** 2 + (dH / sh) ** 2 + rt * ((c2 - c1) / sc) * (dH / sh));
}

/** How far apart two colours are to those eyes. */
export const apart = (a, b, eyes) => deltaE(lab(seen(a, eyes)), lab(seen(b, eyes)));

/** WCAG contrast ratio, 1 to 21. */
export function contrast(a, b) {
  const y = (hex) => {
    const [r, g, bl] = linear(hex);
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl + 0.05;
  };
  return Math.max(y(a), y(b)) / Math.min(y(a), y(b));
}

/** What is seen where a colour of that opacity lies over another. */
export const over = (top, ground, opacity) => `#${[1, 3, 5].map((i) => Math.round(parseInt(top.slice(i, i + 2), 16) * opacity
  + parseInt(ground.slice(i, i + 2), 16) * (1 - opacity)).toString(16).padStart(2, '0')).join('')}`;

/** The tokens of each theme in a style sheet, by name without the dashes; the light theme stands there twice. */
export function themes(css) {
  const blocks = [...css.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(([, body]) => Object.fromEntries([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map((m) => [m[1], m[2].trim()])));
  const [dark, ...light] = blocks.filter((b) => b.ground);
  return { dark, light };
}
