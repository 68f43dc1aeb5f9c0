// A program of the page that runs in a worker, and calls the endpoint from there.
self.onmessage = ({ data }: MessageEvent<{ readonly url: string; readonly token: string }>) => {
  fetch(data.url, { headers: { authorization: `Bearer ${data.token}` } }).then(
    ({ status }) => self.postMessage(status),
    (error: unknown) => self.postMessage(String(error)),
  );
};
