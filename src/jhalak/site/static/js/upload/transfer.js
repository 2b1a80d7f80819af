/**
 * The bytes of one file on their way, by tus: in pieces with a checksum each, going on where they stopped,
 * also after the page was closed (the browser remembers the upload's address for this file).
 */

import "../../vendor/tus-js-client/tus.min.js"; // a classic script: it leaves its name on the window

const tus = /** @type {any} */ (globalThis).tus;
const PIECE = 4 * 1024 * 1024;
const PAUSES = [0, 1000, 3000, 5000, 10000, 20000];

/** The library's own HTTP, with `Upload-Checksum` on every piece where the browser can compute it. */
class CheckedStack extends tus.DefaultHttpStack {
  /** @param {string} method @param {string} url */
  createRequest(method, url) {
    const request = super.createRequest(method, url);
    const send = request.send.bind(request);
    request.send = async (/** @type {any} */ body) => {
      if (method === "PATCH" && body instanceof Blob && globalThis.crypto?.subtle) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", await body.arrayBuffer()));
        request.setHeader("Upload-Checksum", `sha1 ${btoa(String.fromCharCode(...digest))}`);
      }
      return send(body);
    };
    return request;
  }
}

/**
 * @param {File} file
 * @param {string} sound id of one that replaces the clip's own; "" for its own
 * @param {{progress: (sent: number, all: number) => void, resumed: (sent: number) => void,
 *   done: (video: string) => void, away: () => void, refused: (message: string, code: string) => void}} told
 */
export async function transfer(file, sound, told) {
  let video = "";
  const upload = new tus.Upload(file, {
    endpoint: "/api/uploads",
    chunkSize: PIECE,
    retryDelays: PAUSES,
    removeFingerprintOnSuccess: true,
    httpStack: new CheckedStack(),
    // Nobody but its author sees it until they say who may: the choice is sent when they publish.
    metadata: { filename: file.name, filetype: file.type, visibility: "private", sound },
    // What goes on where it stopped is the same file with the same sound.
    fingerprint: async () => ["tus-br", file.name, file.type, file.size, file.lastModified, sound].join("-"),
    onProgress: told.progress,
    onAfterResponse(/** @type {any} */ _request, /** @type {any} */ response) {
      video = response.getHeader("Jhalak-Video") ?? video;
    },
    onSuccess: () => told.done(video),
    onError(/** @type {any} */ error) {
      const answer = error.originalResponse;
      const status = answer?.getStatus() ?? 0;
      if (status === 0 || status >= 500) return told.away();
      let problem = { message: "", code: "" };
      try {
        problem = JSON.parse(answer.getBody()).error;
      } catch {
        // No words from the server: the caller has some.
      }
      told.refused(problem.message, problem.code);
    },
  });
  const before = await upload.findPreviousUploads();
  if (before.length) {
    upload.resumeFromPreviousUpload(before[0]);
    told.resumed(0);
  }
  upload.start();
  return {
    pause: () => upload.abort(),
    resume: () => upload.start(),
    cancel: () => upload.abort(true).catch(() => {}), // already gone on the other side: as wished
  };
}
