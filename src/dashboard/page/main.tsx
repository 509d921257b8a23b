/** The dashboard's page: connects to the node that served it and draws what comes. */
import { render } from 'preact';
import { App } from './app.tsx';
import { FeedConnection } from './feed-connection.ts';
import { Store } from './store.ts';
import { applyTheme, storedTheme } from './theme.ts';

applyTheme(storedTheme());
const store = new Store();
const connection = new FeedConnection(
  (event) => store.take(event),
  (state) => store.connectionIs(state),
);
connection.open();
const root = document.getElementById('page');
if (root !== null) render(<App store={store} />, root);
