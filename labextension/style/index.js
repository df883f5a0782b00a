import './base.css';
import './panels.css';
import './models.css';
import './history.css';
import './start.css';
import './completion.css';
import './commands.css';
import './chat.css';
