/* table.js - tables whose rows are kept while their figures change. */

const LONG = 20; /* letters; a phone gives them some room before it wraps them */

/* Column: { name, text(row), value(row) to sort by, kind: 'number' | 'bar' |
 * undefined, mark(row): a class or '' }; the first column names the row. */
class Table {
	constructor(id, key, columns, empty) {
		const section = document.getElementById(id);

		this.note = section.querySelector('.note');
		this.table = section.querySelector('table');
		this.key = key;
		this.columns = columns;
		this.rows = new Map();
		this.data = [];
		this.sort = null;
		this.down = false;
		this.head(section.querySelector('h2').textContent);
		this.body = this.table.createTBody();
		this.empty = document.createElement('tr');
		this.empty.append(document.createElement('td'));
		this.empty.cells[0].colSpan = columns.length;
		this.empty.cells[0].className = 'empty';
		this.empty.cells[0].textContent = empty;
		this.empty_text = empty;
	}

	head(title) {
		const row = this.table.createTHead().insertRow();

		this.table.createCaption().textContent = title;
		this.table.caption.className = 'sr';
		for (const column of this.columns) {
			const cell = document.createElement('th');
			const button = document.createElement('button');

			cell.scope = 'col';
			cell.className = column.kind || '';
			button.type = 'button';
			button.textContent = column.name;
			button.addEventListener('click', () => this.order(column));
			cell.append(button);
			row.append(cell);
		}
	}

	/* First the most, or the first of words; then the other way; then as
	 * weir has them. */
	order(column) {
		const first = column.kind !== undefined;

		if (this.sort !== column) {
			this.sort = column;
			this.down = first;
		} else if (this.down === first) {
			this.down = !first;
		} else {
			this.sort = null;
		}
		this.columns.forEach((c, i) => {
			const cell = this.table.tHead.rows[0].cells[i];

			if (c === this.sort)
				cell.setAttribute('aria-sort', this.down ?
					'descending' : 'ascending');
			else
				cell.removeAttribute('aria-sort');
		});
		this.show(this.data);
	}

	sorted(data) {
		const value = (row) => (this.sort.value || this.sort.text)(row);
		const way = this.down ? -1 : 1;

		if (this.sort === null)
			return data;
		return [...data].sort((a, b) => {
			const x = value(a), y = value(b);

			/* What is not known stands last. */
			if (x === null || y === null)
				return (x === null) - (y === null);
			return typeof x === 'string' ?
				way * x.localeCompare(y, 'en', { numeric: true }) :
				way * (x - y);
		});
	}

	show(data) {
		const kept = new Set();
		let at = this.body.firstChild;

		this.data = data;
		for (const item of this.sorted(data)) {
			const key = this.key(item);
			const row = this.rows.get(key) || this.add(key);

			kept.add(key);
			this.columns.forEach((column, i) =>
				this.fill(row.cells[i], column, item));
			if (row === at)
				at = at.nextSibling;
			else
				this.body.insertBefore(row, at);
		}
		for (const [key, row] of this.rows)
			if (!kept.has(key)) {
				row.remove();
				this.rows.delete(key);
			}
		if (data.length > 0)
			this.empty.remove();
		else
			this.body.append(this.empty);
	}

	add(key) {
		const row = document.createElement('tr');

		this.columns.forEach((column, i) => {
			const cell = document.createElement(i === 0 ? 'th' : 'td');

			if (i === 0)
				cell.scope = 'row';
			cell.className = column.kind || 'text';
			if (column.kind === 'bar')
				cell.append(document.createElement('i'),
					document.createElement('span'));
			row.append(cell);
		});
		this.rows.set(key, row);
		return row;
	}

	fill(cell, column, item) {
		const text = column.text(item);
		const mark = column.mark ? column.mark(item) : '';
		const name = (column.kind || 'text') + (mark ? ' ' + mark : '') +
			(text.length > LONG ? ' long' : '');

		if (cell.className !== name)
			cell.className = name;
		if (column.kind === 'bar') {
			cell.firstChild.style.setProperty('--part',
				column.value(item));
			cell = cell.lastChild;
		}
		if (cell.textContent === text)
			return;
		cell.textContent = text;
		/* What does not fit is told by the pointer. */
		if (column.kind === undefined)
			cell.title = text;
	}

	/* Beside the title; old: the rows are of before. */
	say(text, old = false) {
		this.table.classList.toggle('old', old);
		if (this.note.textContent !== text)
			this.note.textContent = text;
	}
}
